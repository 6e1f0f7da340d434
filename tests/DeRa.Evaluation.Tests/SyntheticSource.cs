using DeRa.Engine;

namespace DeRa.Evaluation.Tests;

/// <summary>Samples without models: a response's text is a number whose mean at each λ is known; KL and ΣA are simple functions of λ.</summary>
internal sealed class SyntheticSource(Func<float, double> mean, double promptSpread = 1, double sampleSpread = 1) : ISampleSource
{
    private int drawn;

    /// <summary>Samples drawn so far.</summary>
    public int Drawn => Volatile.Read(ref drawn);

    /// <summary>Called before every draw.</summary>
    public Func<SweepUnit, CancellationToken, Task> Before { get; init; } = (_, _) => Task.CompletedTask;

    public async Task<DrawnSample> DrawAsync(SweepPlan plan, SweepUnit unit, CancellationToken cancellationToken)
    {
        await Before(unit, cancellationToken);
        Interlocked.Increment(ref drawn);
        (ulong seed, uint stream) = plan.Draw(unit, 0);
        double ofPrompt = promptSpread * Normal(seed), ofSample = sampleSpread * Normal(seed ^ ((stream + 1UL) << 20) ^ BitConverter.SingleToUInt32Bits(unit.Lambda));
        double value = mean(unit.Lambda) + ofPrompt + ofSample;
        return new DrawnSample
        {
            Tokens = [.. Enumerable.Range(0, 3 + (unit.Sample % 4))],
            ResponseLength = 2 + (unit.Sample % 4),
            Text = value.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            Finish = FinishReason.Stop,
            LogProb = -3,
            LogProbReference = -3,
            KlReference = unit.Lambda * unit.Lambda,
            SequenceGap = unit.Lambda * (unit.Lambda - 1),
        };
    }

    private static double Normal(ulong seed)
    {
        var random = new SplitMix64(seed);
        return Math.Sqrt(-2 * Math.Log(random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }
}

/// <summary>The number a synthetic response is.</summary>
internal sealed class ValueReward() : PureReward("value")
{
    public override double Score(RewardSample sample) => double.Parse(sample.Response, System.Globalization.CultureInfo.InvariantCulture);
}
