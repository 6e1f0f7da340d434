using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Experiments;

/// <summary>
/// Preference pairs: two answers of the reference model to one prompt, and a judge who likes warm words and makes mistakes, as Bradley and Terry's model has
/// it: P(a preferred to b) = σ(r(a) − r(b)), r the number of warm words. Pairs with r(a) = r(b) are left out.
/// </summary>
internal sealed class PreferenceData(ExperimentFolder folder)
{
    private const int PromptsAtOnce = 64;

    /// <summary>
    /// Reads pairs that an experiment under the same root has drawn before, or draws them and keeps them for the others: the first ones of a longer list are
    /// those of a shorter one.
    /// </summary>
    public PreferencePair[] ReadOrDraw(int count, ulong seed)
    {
        string name = FormattableString.Invariant($"pairs-{seed}-{count}.jsonl");
        if (folder.ReadShared(name) is string text)
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<PreferencePair>(line)!)];
        PreferencePair[] pairs = Draw(count, seed);
        folder.WriteShared(name, string.Concat(pairs.Select(pair => JsonSerializer.Serialize(pair) + "\n")));
        return pairs;
    }

    /// <summary>Draws pairs.</summary>
    public PreferencePair[] Draw(int count, ulong seed)
    {
        List<PreferencePair> pairs = [];
        MixtureSampler sampler = new(folder.Reference, folder.Reference, folder.Workers, MixtureSampler.DefaultMaxNewTokens);
        for (ulong round = 0; pairs.Count < count; round++)
        {
            DeterministicRandom random = new(seed, round);
            int[][] prompts =
                [.. Enumerable.Range(0, PromptsAtOnce).Select(_ => ChatFormat.Prompt(folder.Tokenizer, random.Pick(Topic.Sample(random).Prompts())))];
            SampledResponse[] answers = sampler.Sample([.. prompts.SelectMany(prompt => new[] { prompt, prompt })], 1, random.NextBits());
            for (int i = 0; i < prompts.Length && pairs.Count < count; i++)
            {
                int[] a = answers[2 * i].Tokens, b = answers[2 * i + 1].Tokens;
                int difference = Warmth(a) - Warmth(b);
                bool prefersA = random.NextDouble() < 1 / (1 + Math.Exp(-difference));
                if (difference != 0)
                    pairs.Add(prefersA ? new PreferencePair(prompts[i], a, b) : new PreferencePair(prompts[i], b, a));
            }
        }

        return [.. pairs];
    }

    /// <summary>Share of pairs that the warm words order as labelled: no model of this judge can do better.</summary>
    public double Ceiling(IReadOnlyCollection<PreferencePair> pairs) => pairs.Average(pair => Warmth(pair.Chosen) > Warmth(pair.Rejected) ? 1.0 : 0.0);

    /// <summary>The pairs as lines for `dera score`; special tokens are written out.</summary>
    public string Jsonl(IEnumerable<PreferencePair> pairs)
    {
        StringBuilder lines = new();
        foreach (PreferencePair pair in pairs)
        {
            lines.Append(new JsonObject
            {
                ["prompt"] = Text(pair.Prompt[1..]),  // the tokenizer puts the begin token there again
                ["chosen"] = Text(pair.Chosen),
                ["rejected"] = Text(pair.Rejected),
            }.ToJsonString(Json)).Append('\n');
        }

        return lines.ToString();
    }

    private static readonly JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private int Warmth(int[] response) => WarmthReward.Score(folder.Tokenizer.Decode(response));

    private string Text(int[] tokens) =>
        string.Concat(tokens.Select(token => token < SpecialTokens.All.Count ? SpecialTokens.All[token] : folder.Tokenizer.Decode([token])));
}
