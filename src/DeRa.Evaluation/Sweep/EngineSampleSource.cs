using DeRa.Engine;

namespace DeRa.Evaluation;

/// <summary>Draws samples with an engine; with several candidates per sample, resamples them toward the sequence-level mixture.</summary>
/// <param name="engine">The engine.</param>
/// <param name="template">Everything but prompt, λ, seed and stream.</param>
public sealed class EngineSampleSource(RealignmentEngine engine, GenerationRequest template) : ISampleSource
{
    /// <inheritdoc />
    public async Task<DrawnSample> DrawAsync(SweepPlan plan, SweepUnit unit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);

        // At λ = 0 and λ = 1 decoding samples the sequence-level mixture itself: A = 0, all weights are equal, and the choice is known beforehand.
        if (plan.Candidates == 1)
        {
            return await CandidateAsync(plan, unit, 0, cancellationToken).ConfigureAwait(false);
        }

        if (unit.Lambda is 0 or 1)
        {
            int equal = CandidateChoice.Of(new double[plan.Candidates], k => plan.ChoiceNoise(unit, k)).Chosen;
            return await CandidateAsync(plan, unit, equal, cancellationToken).ConfigureAwait(false) with { EffectiveSampleSize = plan.Candidates };
        }

        DrawnSample[] candidates = await Task.WhenAll(
            Enumerable.Range(0, plan.Candidates).Select(k => CandidateAsync(plan, unit, k, cancellationToken))).ConfigureAwait(false);
        (int chosen, double effective) = CandidateChoice.Of([.. candidates.Select(one => one.SequenceGap)], k => plan.ChoiceNoise(unit, k));
        return candidates[chosen] with { EffectiveSampleSize = effective };
    }

    private async Task<DrawnSample> CandidateAsync(SweepPlan plan, SweepUnit unit, int candidate, CancellationToken cancellationToken)
    {
        (ulong seed, uint stream) = plan.Draw(unit, candidate);
        GenerationRequest request = template with
        {
            PromptTokens = unit.Prompt.Tokens,
            Lambda = unit.Lambda,
            Statistics = true,
            Sampling = template.Sampling with { Seed = seed, Stream = stream },
        };
        GenerationResult result = await engine.CompleteAsync(request, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<int> stops = request.StopTokens ?? engine.StopTokens;
        bool endToken = result.Finish == FinishReason.Stop && stops.Contains(result.Tokens[^1]);
        return new DrawnSample
        {
            Tokens = result.Tokens,
            ResponseLength = result.Tokens.Count - (endToken ? 1 : 0),
            Text = result.Text,
            Finish = result.Finish,
            LogProb = result.LogProb,
            LogProbReference = Sum(result.Events, token => token.LogProbReference),
            LogProbAligned = Sum(result.Events, token => token.LogProbAligned),
            KlReference = result.KlReference!.Value,
            SequenceGap = unit.Lambda is 0 or 1 ? 0 : result.Events.Sum(token => Gap(token, unit.Lambda)),
        };
    }

    /// <summary>A = log p_r(y) + λ·(log p_a(y) − log p_r(y)) − log p_λ(y), whichever token y was drawn.</summary>
    private static double Gap(TokenEvent token, float lambda) =>
        token.LogProbReference!.Value + (lambda * ((double)token.LogProbAligned!.Value - token.LogProbReference.Value)) - token.LogProb;

    private static double? Sum(IReadOnlyList<TokenEvent> events, Func<TokenEvent, float?> value) =>
        events.All(token => value(token) is not null) ? events.Sum(token => (double)value(token)!.Value) : null;
}
