namespace DeRa.Evaluation;

/// <summary>
/// Draws and judges what a plan asks for and its log does not hold yet. Several prompts are at work at once; their lines are written in the plan's
/// order, so the file is the same whatever their number.
/// </summary>
/// <param name="plan">What to draw.</param>
/// <param name="fingerprint">Hash of the settings.</param>
/// <param name="source">Where samples come from.</param>
/// <param name="rewards">What judges them, at least one.</param>
/// <param name="workers">Prompts at work at once.</param>
public sealed class SweepRunner(SweepPlan plan, string fingerprint, ISampleSource source, IReadOnlyList<IReward> rewards, int workers)
{
    private Action<int>? drawn;

    /// <summary>Runs to the end of the plan.</summary>
    /// <param name="log">Where results go; its lines are not drawn again.</param>
    /// <param name="progress">Told how many samples were drawn since the last call, from several threads.</param>
    /// <param name="cancellationToken">Ends the sweep early; what is finished is written first.</param>
    /// <exception cref="RewardException">A reward failed. Results before it are in the log.</exception>
    public async Task RunAsync(ResultLog log, Action<int>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        drawn = progress;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using IEnumerator<SweepUnit[]> left = Left(log.Count).GetEnumerator();
        var running = new Queue<Task<ResultLine[]>>();
        try
        {
            while (true)
            {
                while (running.Count < workers && left.MoveNext())
                {
                    SweepUnit[] units = left.Current;
                    running.Enqueue(Task.Run(() => CompleteAsync(units, stop.Token), stop.Token));
                }

                if (!running.TryPeek(out Task<ResultLine[]>? first))
                {
                    return;
                }

                log.Append(await first.ConfigureAwait(false));
                _ = running.Dequeue(); // awaited above
            }
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await SettleAsync(running).ConfigureAwait(false);
            while (running.TryDequeue(out Task<ResultLine[]>? next) && next.IsCompletedSuccessfully)
            {
                log.Append(await next.ConfigureAwait(false));
            }

            throw;
        }
    }

    /// <summary>Prompts that are not finished, each with the units it lacks.</summary>
    private IEnumerable<SweepUnit[]> Left(int done)
    {
        for (int i = done / plan.UnitsPerPrompt; i < plan.ShardPrompts.Count; i++)
        {
            yield return [.. plan.UnitsOf(plan.ShardPrompts[i]).Skip(Math.Max(0, done - (i * plan.UnitsPerPrompt)))];
        }
    }

    private async Task<ResultLine[]> CompleteAsync(SweepUnit[] units, CancellationToken cancellationToken)
    {
        DrawnSample[] samples = await Task.WhenAll(units.Select(unit => DrawAsync(unit, cancellationToken))).ConfigureAwait(false);
        RewardSample[] judged = [.. units.Zip(samples, ToJudge)];
        var scores = new Dictionary<string, double>[units.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = [];
        }

        foreach (IReward reward in rewards)
        {
            IReadOnlyList<double> values = await reward.ScoreAsync(judged, cancellationToken).ConfigureAwait(false);
            RequireAnswers(reward, values, units);
            for (int i = 0; i < scores.Length; i++)
            {
                scores[i].Add(reward.Name, values[i]);
            }
        }

        return [.. units.Select((unit, i) => ResultLine.Of(plan.Key(unit, fingerprint), unit, samples[i], scores[i]))];
    }

    private async Task<DrawnSample> DrawAsync(SweepUnit unit, CancellationToken cancellationToken)
    {
        DrawnSample sample = await source.DrawAsync(plan, unit, cancellationToken).ConfigureAwait(false);
        drawn?.Invoke(1);
        return sample;
    }

    private static RewardSample ToJudge(SweepUnit unit, DrawnSample sample) => new()
    {
        PromptId = unit.Prompt.Id,
        Prompt = unit.Prompt.Text,
        Messages = unit.Prompt.Messages,
        PromptTokens = unit.Prompt.Tokens,
        Response = sample.Text,
        ResponseTokens = [.. sample.Tokens.Take(sample.ResponseLength)],
        Lambda = unit.Lambda,
        Sample = unit.Sample,
    };

    /// <summary>A reward of somebody's own may break its promises; a number that is none would poison every mean.</summary>
    private static void RequireAnswers(IReward reward, IReadOnlyList<double> values, SweepUnit[] units)
    {
        if (values.Count != units.Length)
        {
            throw new RewardException($"reward {reward.Name}: expected {units.Length} numbers for as many samples, found {values.Count}");
        }

        for (int i = 0; i < units.Length; i++)
        {
            if (!double.IsFinite(values[i]))
            {
                throw new RewardException(FormattableString.Invariant($"reward {reward.Name}, prompt {units[i].Prompt.Id}, λ = {units[i].Lambda}, sample {units[i].Sample}: expected a finite number, found {values[i]}"));
            }
        }
    }

    private static async Task SettleAsync(IEnumerable<Task> running)
    {
        try
        {
            await Task.WhenAll(running).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The failure that ended the sweep is thrown already; those of prompts behind it follow from it.
        }
    }
}
