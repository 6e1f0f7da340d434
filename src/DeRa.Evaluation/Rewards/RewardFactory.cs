using DeRa.Tokenization;

namespace DeRa.Evaluation;

/// <summary>Makes rewards of their short form: <c>length:40-50</c>, <c>regex:PATTERN</c>, <c>lexicon:FILE</c>, <c>command:CMD</c>, <c>model:DIR</c>.</summary>
/// <param name="timeout">Longest time for one answer of a command or one match of a pattern.</param>
/// <param name="device">Where reward models run: auto, cpu, opencl[:i] or cuda[:i].</param>
/// <param name="pairTokenizer">The pair's tokenizer; null where it has none.</param>
public sealed class RewardFactory(TimeSpan timeout, string device = "auto", Tokenizer? pairTokenizer = null)
{
    /// <summary>The forms there are.</summary>
    public const string Forms = "length:40-50, regex:PATTERN, lexicon:FILE, command:CMD or model:DIR";

    /// <summary>Makes a reward.</summary>
    /// <exception cref="EvaluationException">An unknown form, or one that cannot be used.</exception>
    /// <exception cref="DeRa.Checkpoints.CheckpointException">A reward model that cannot be used.</exception>
    public async Task<IReward> CreateAsync(string form)
    {
        ArgumentNullException.ThrowIfNull(form);
        int colon = form.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? form : form[..colon], rest = colon < 0 ? "" : form[(colon + 1)..];
        if (colon >= 0 && rest.Length == 0)
        {
            throw new EvaluationException($"reward {form}: expected {Forms}, found nothing after the colon");
        }

        return (kind, colon >= 0) switch
        {
            ("length", true) => LengthReward.Parse(rest),
            ("regex", true) => new RegexReward(rest, timeout),
            ("lexicon", true) => LexiconReward.Load(rest),
            ("command", true) => new CommandReward(rest, timeout),
            ("model", true) => await ModelReward.LoadAsync(rest, pairTokenizer, device).ConfigureAwait(false),
            _ => throw new EvaluationException($"reward {form}: expected {Forms}"),
        };
    }

    /// <summary>Makes several rewards; the names must differ.</summary>
    /// <exception cref="EvaluationException">One that cannot be used, or a name twice. Those made before are disposed of.</exception>
    public async Task<IReadOnlyList<IReward>> CreateAllAsync(IEnumerable<string> forms)
    {
        ArgumentNullException.ThrowIfNull(forms);
        var rewards = new List<IReward>();
        try
        {
            foreach (string form in forms)
            {
                rewards.Add(await CreateAsync(form).ConfigureAwait(false));
                if (rewards.Take(rewards.Count - 1).Any(reward => reward.Name == rewards[^1].Name))
                {
                    throw new EvaluationException($"reward {form}: given twice");
                }
            }

            return rewards;
        }
        catch
        {
            foreach (IReward reward in rewards)
            {
                await reward.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }
}
