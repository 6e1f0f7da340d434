namespace DeRa.Checkpoints;

/// <summary>
/// Rotary inverse frequencies of a model, in float64: position p turns the pair (i, i + RotaryDim/2) of a head by
/// p·InverseFrequencies[i], with cos and sin multiplied by the attention factor.
/// </summary>
/// <remarks>
/// Equivalent to transformers' modeling_rope_utils.py with a full recompute: a forward pass over n tokens uses sequence length n
/// for all of its positions. Papers: YaRN arXiv 2309.00071, LongRoPE arXiv 2402.13753.
/// </remarks>
public sealed class RotaryFrequencies(RopeConfig config)
{
    /// <summary>The settings computed from.</summary>
    public RopeConfig Config { get; } = config;

    /// <summary>
    /// A number that changes exactly when the frequencies do: 0 up to the trained length; beyond it 1 for longrope and the
    /// length itself for dynamic.
    /// </summary>
    /// <param name="sequenceLength">Tokens of the whole sequence so far (largest position + 1).</param>
    public int Regime(int sequenceLength) => Config.Type switch
    {
        RopeType.Dynamic => sequenceLength > Config.MaxPositionEmbeddings ? sequenceLength : 0,
        RopeType.LongRope => sequenceLength > Config.OriginalMaxPositionEmbeddings ? 1 : 0,
        _ => 0,
    };

    /// <summary>Frequencies for a sequence of the given length, [RotaryDim / 2], in radians per position.</summary>
    /// <param name="sequenceLength">Tokens of the whole sequence so far (largest position + 1).</param>
    public double[] InverseFrequencies(int sequenceLength) => Config.Type switch
    {
        RopeType.Linear => Geometric(Config.Theta, _ => Config.Factor),
        RopeType.Dynamic => Geometric(DynamicTheta(sequenceLength), _ => 1),
        RopeType.Llama3 => Llama3(),
        RopeType.LongRope => LongRope(sequenceLength),
        RopeType.Yarn => Yarn(),
        _ => Geometric(Config.Theta, _ => 1),
    };

    /// <summary>Factor on cos and sin for a sequence of the given length.</summary>
    /// <param name="sequenceLength">Tokens of the whole sequence so far; no form depends on it today.</param>
    public double AttentionFactor(int sequenceLength) => Config.Type switch
    {
        RopeType.Yarn => Config.AttentionFactor ?? YarnAttentionFactor(),
        RopeType.LongRope when Config.AttentionFactor is double given => given,
        RopeType.LongRope when Config.Factor > 1 =>
            Math.Sqrt(1 + (Math.Log(Config.Factor) / Math.Log(Config.OriginalMaxPositionEmbeddings))),
        _ => 1,
    };

    // 1 / (divisor_i · θ^(2i/dim))
    private double[] Geometric(double theta, Func<int, double> divisor)
    {
        var frequencies = new double[Config.RotaryDim / 2];
        for (int i = 0; i < frequencies.Length; i++)
            frequencies[i] = 1 / (divisor(i) * Math.Pow(theta, 2.0 * i / Config.RotaryDim));
        return frequencies;
    }

    // θ·(factor·n/max − (factor − 1))^(dim/(dim−2)) with n at least max, where the term is 1.
    private double DynamicTheta(int sequenceLength)
    {
        double length = Math.Max(sequenceLength, Config.MaxPositionEmbeddings);
        double stretch = (Config.Factor * length / Config.MaxPositionEmbeddings) - (Config.Factor - 1);
        return Config.Theta * Math.Pow(stretch, Config.RotaryDim / (Config.RotaryDim - 2.0));
    }

    private double[] Llama3()
    {
        double original = Config.OriginalMaxPositionEmbeddings;
        double[] frequencies = Geometric(Config.Theta, _ => 1);
        for (int i = 0; i < frequencies.Length; i++)
        {
            double wavelength = 2 * Math.PI / frequencies[i];
            if (wavelength > original / Config.LowFreqFactor)
            {
                frequencies[i] /= Config.Factor;
            }
            else if (wavelength >= original / Config.HighFreqFactor)
            {
                double smooth = ((original / wavelength) - Config.LowFreqFactor) / (Config.HighFreqFactor - Config.LowFreqFactor);
                frequencies[i] = ((1 - smooth) * frequencies[i] / Config.Factor) + (smooth * frequencies[i]);
            }
        }

        return frequencies;
    }

    private double[] LongRope(int sequenceLength)
    {
        IReadOnlyList<double> divisors = Regime(sequenceLength) == 1 ? Config.LongFactors : Config.ShortFactors;
        return Geometric(Config.Theta, i => divisors[i]);
    }

    private double[] Yarn()
    {
        // Frequencies before `low` are kept, after `high` divided by the factor, in between blended along a straight ramp.
        double low = CorrectionDim(Config.BetaFast);
        double high = CorrectionDim(Config.BetaSlow);
        if (Config.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, Config.RotaryDim - 1);
        if (low == high) high += 0.001;

        double[] frequencies = Geometric(Config.Theta, _ => 1);
        for (int i = 0; i < frequencies.Length; i++)
        {
            double interpolated = Math.Clamp((i - low) / (high - low), 0, 1);
            frequencies[i] = (frequencies[i] / Config.Factor * interpolated) + (frequencies[i] * (1 - interpolated));
        }

        return frequencies;
    }

    // The index whose frequency turns `rotations` times over the original length.
    private double CorrectionDim(double rotations) =>
        Config.RotaryDim * Math.Log(Config.OriginalMaxPositionEmbeddings / (rotations * 2 * Math.PI)) / (2 * Math.Log(Config.Theta));

    private double YarnAttentionFactor()
    {
        return Config is { Mscale: double mscale, MscaleAllDim: double all }
            ? Magnitude(mscale) / Magnitude(all)
            : Magnitude(1);

        double Magnitude(double weight) => Config.Factor <= 1 ? 1 : (0.1 * weight * Math.Log(Config.Factor)) + 1;
    }
}
