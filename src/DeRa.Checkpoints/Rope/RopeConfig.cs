namespace DeRa.Checkpoints;

/// <summary>How rotary frequencies are stretched beyond the pretrained length.</summary>
public enum RopeType
{
    /// <summary>Not at all.</summary>
    Default,

    /// <summary>Every frequency divided by a factor.</summary>
    Linear,

    /// <summary>NTK-aware: the base grows with the sequence beyond the trained length.</summary>
    Dynamic,

    /// <summary>Llama 3.1: low frequencies divided, high kept, smooth between.</summary>
    Llama3,

    /// <summary>LongRoPE: one divisor per frequency, a short and a long set.</summary>
    LongRope,

    /// <summary>YaRN: interpolated by wavelength, with a factor on cos and sin.</summary>
    Yarn,
}

/// <summary>Rotary position embedding of a model, validated; <see cref="RotaryFrequencies"/> computes from it.</summary>
public sealed record RopeConfig
{
    /// <summary>The form.</summary>
    public required RopeType Type { get; init; }

    /// <summary>Base of the geometric series of wavelengths.</summary>
    public required double Theta { get; init; }

    /// <summary>How many leading elements of a head are rotated: head_dim, or an even part of it.</summary>
    public required int RotaryDim { get; init; }

    /// <summary>The model's max_position_embeddings.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>Length the model was pretrained at, before stretching (llama3, longrope, yarn).</summary>
    public required int OriginalMaxPositionEmbeddings { get; init; }

    /// <summary>How far the length is stretched; 1 for default.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Explicit factor on cos and sin (longrope, yarn); null derives it.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>llama3: wavelengths above original / this are divided by the factor.</summary>
    public double LowFreqFactor { get; init; }

    /// <summary>llama3: wavelengths below original / this are kept.</summary>
    public double HighFreqFactor { get; init; }

    /// <summary>yarn: rotations over the original length above which a frequency is kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>yarn: rotations over the original length below which a frequency is divided by the factor.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>yarn: weight of log(factor) in the numerator of the derived attention factor; null for none.</summary>
    public double? Mscale { get; init; }

    /// <summary>yarn: weight of log(factor) in the denominator of the derived attention factor; null for none.</summary>
    public double? MscaleAllDim { get; init; }

    /// <summary>yarn: whether the ramp's ends are rounded to whole frequencies.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>longrope: divisors up to the original length, one per frequency.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>longrope: divisors beyond the original length, one per frequency.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];
}
