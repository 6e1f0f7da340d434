using DeRa.Checkpoints.Configuration;

namespace DeRa.Checkpoints.Rope;

/// <summary>
/// Reads rotary settings from either schema: rope_theta, partial_rotary_factor and rope_scaling beside each other
/// (transformers 4), or all of them inside rope_parameters (transformers 5).
/// </summary>
internal static class RopeReader
{
    /// <summary>Reads and validates.</summary>
    public static RopeConfig Read(ConfigFields config, Architecture architecture, int headDim, int maxPositions)
    {
        ConfigFields? parameters = Parameters(config);
        double theta = Setting(config, parameters, architecture == Architecture.GptNeoX ? ["rope_theta", "rotary_emb_base"] : ["rope_theta"])
            ?? 10000;
        double partial = Setting(
                config, parameters, architecture == Architecture.GptNeoX ? ["partial_rotary_factor", "rotary_pct"] : ["partial_rotary_factor"])
            ?? (architecture == Architecture.GptNeoX ? 0.25 : 1);
        if (theta <= 1) throw config.Error("rope_theta", "a number above 1", $"{theta}");
        int rotaryDim = RotaryDim(config, headDim, partial);

        var rope = new RopeConfig
        {
            Type = RopeType.Default,
            Theta = theta,
            RotaryDim = rotaryDim,
            MaxPositionEmbeddings = maxPositions,
            OriginalMaxPositionEmbeddings = maxPositions,
        };
        return parameters is ConfigFields fields ? Scaled(rope, fields, config, architecture) : rope;
    }

    // Where both stand, rope_scaling wins, as in transformers 5.
    private static ConfigFields? Parameters(ConfigFields config)
    {
        foreach (string key in (ReadOnlySpan<string>)["rope_scaling", "rope_parameters"])
        {
            if (config.ObjectOrNull(key) is ConfigFields fields && fields.Names.Any()) return Flat(config, key, fields);
        }

        return null;
    }

    // transformers 5 allows one set per layer type; it is taken where all of them say the same.
    private static ConfigFields Flat(ConfigFields config, string key, ConfigFields fields)
    {
        string[] names = [.. fields.Names];
        if (!names.All(fields.IsObject)) return fields;
        ConfigFields first = fields.ObjectOrNull(names[0])!.Value;
        foreach (string name in names.Skip(1))
        {
            if (!first.SameAs(fields.ObjectOrNull(name)!.Value))
                throw config.Error(key, "the same rotary settings for every layer type", $"{names[0]} and {name} that differ");
        }

        return first;
    }

    private static double? Setting(ConfigFields config, ConfigFields? parameters, string[] keys)
    {
        foreach (string key in keys)
        {
            if (parameters?.NumberOrNull(key) is double inner) return inner;
        }

        foreach (string key in keys)
        {
            if (config.NumberOrNull(key) is double outer) return outer;
        }

        return null;
    }

    private static int RotaryDim(ConfigFields config, int headDim, double partial)
    {
        if (partial is <= 0 or > 1) throw config.Error("partial_rotary_factor", "a number above 0, up to 1", $"{partial}");
        int dim = (int)(headDim * partial);
        return dim >= 2 && dim % 2 == 0
            ? dim
            : throw config.Error("partial_rotary_factor", $"an even part of head_dim {headDim}", $"{dim} elements");
    }

    private static RopeConfig Scaled(RopeConfig rope, ConfigFields fields, ConfigFields config, Architecture architecture)
    {
        string? name = fields.TextOrNull("rope_type") ?? fields.TextOrNull("type");
        RopeType type = TypeOf(name, fields, architecture);
        return type switch
        {
            RopeType.Linear => rope with { Type = type, Factor = Factor(fields) },
            RopeType.Dynamic => Dynamic(rope, fields),
            RopeType.Llama3 => Llama3(rope, fields),
            RopeType.LongRope => LongRope(rope, fields, config, architecture),
            RopeType.Yarn => Yarn(rope, fields),
            _ => rope,
        };
    }

    private static RopeType TypeOf(string? name, ConfigFields fields, Architecture architecture)
    {
        RopeType? type = name switch
        {
            null or "default" => RopeType.Default,
            "linear" => RopeType.Linear,
            "dynamic" => RopeType.Dynamic,
            "llama3" => RopeType.Llama3,
            "longrope" => RopeType.LongRope,
            "yarn" => RopeType.Yarn,
            _ => null,
        };
        if (architecture == Architecture.Phi3)
        {
            // Phi-3's first checkpoints call the same thing "su" or "yarn"; its config class knows nothing else.
            type = name is "su" or "yarn" ? RopeType.LongRope : type;
            if (type is not (RopeType.Default or RopeType.LongRope)) type = null;
        }

        if (name is null && fields.HasValue("factor")) throw fields.Error("rope_type", "a name beside factor", "none");
        return type ?? throw fields.Error(
            "rope_type",
            architecture == Architecture.Phi3 ? "default or longrope (also su, yarn)" : "default, linear, dynamic, llama3, longrope or yarn",
            $"'{name}'");
    }

    private static RopeConfig Dynamic(RopeConfig rope, ConfigFields fields)
    {
        // The exponent dim / (dim − 2) needs a third element.
        if (rope.RotaryDim <= 2) throw fields.Error("rope_type", "more than 2 rotated elements for dynamic", $"{rope.RotaryDim}");
        return rope with { Type = RopeType.Dynamic, Factor = Factor(fields) };
    }

    private static RopeConfig Llama3(RopeConfig rope, ConfigFields fields)
    {
        double low = PositiveNumber(fields, "low_freq_factor");
        double high = PositiveNumber(fields, "high_freq_factor");
        if (high <= low) throw fields.Error("high_freq_factor", $"a number above low_freq_factor ({low})", $"{high}");
        return rope with
        {
            Type = RopeType.Llama3,
            Factor = Factor(fields),
            LowFreqFactor = low,
            HighFreqFactor = high,
            OriginalMaxPositionEmbeddings = Original(fields) ?? throw fields.Error("original_max_position_embeddings", "a positive integer", "none"),
        };
    }

    private static RopeConfig LongRope(RopeConfig rope, ConfigFields fields, ConfigFields config, Architecture architecture)
    {
        // Beside the other sizes (Phi-3) it fixes the factor as the ratio of the two lengths, whatever `factor` says.
        // Where Phi-3 gives it nowhere, its config class says 4096.
        int? outer = Original(config);
        int original = outer ?? Original(fields) ?? (architecture == Architecture.Phi3 ? 4096 : rope.MaxPositionEmbeddings);
        double ratio = (double)rope.MaxPositionEmbeddings / original;
        double factor = outer is null && fields.HasValue("factor") ? Factor(fields) : ratio;
        double? attention = AttentionFactor(fields);
        if (attention is null && factor > 1 && original < 2)
            throw fields.Error("original_max_position_embeddings", "at least 2", $"{original}");
        return rope with
        {
            Type = RopeType.LongRope,
            Factor = factor,
            OriginalMaxPositionEmbeddings = original,
            AttentionFactor = attention,
            ShortFactors = Divisors(fields, "short_factor", rope.RotaryDim / 2),
            LongFactors = Divisors(fields, "long_factor", rope.RotaryDim / 2),
        };
    }

    private static RopeConfig Yarn(RopeConfig rope, ConfigFields fields)
    {
        int? explicitOriginal = Original(fields);
        int original = explicitOriginal ?? rope.MaxPositionEmbeddings;

        // An explicit factor counts as written, also where the ratio of the lengths differs: that is how checkpoints are
        // published (max_position_embeddings is often left at the original length) and what transformers 5 computes.
        double factor = fields.HasValue("factor") || explicitOriginal is null
            ? Factor(fields)
            : (double)rope.MaxPositionEmbeddings / original;
        return rope with
        {
            Type = RopeType.Yarn,
            Factor = factor,
            OriginalMaxPositionEmbeddings = original,
            AttentionFactor = AttentionFactor(fields),
            BetaFast = NonZero(fields, "beta_fast") ?? 32,
            BetaSlow = NonZero(fields, "beta_slow") ?? 1,
            Mscale = NonZero(fields, "mscale"),
            MscaleAllDim = NonZero(fields, "mscale_all_dim"),
            Truncate = fields.Flag("truncate", true),
        };
    }

    private static double Factor(ConfigFields fields) => PositiveNumber(fields, "factor");

    private static double? AttentionFactor(ConfigFields fields) =>
        fields.HasValue("attention_factor") ? PositiveNumber(fields, "attention_factor") : null;

    private static double PositiveNumber(ConfigFields fields, string key)
    {
        double value = fields.RequiredNumber(key);
        return value > 0 ? value : throw fields.Error(key, "a positive number", $"{value}");
    }

    // Zero means "not given" to Python's `or`.
    private static double? NonZero(ConfigFields fields, string key)
    {
        double? value = fields.NumberOrNull(key);
        return value is null or >= 0 ? value is 0 ? null : value : throw fields.Error(key, "a positive number", $"{value}");
    }

    private static int? Original(ConfigFields fields)
    {
        const string key = "original_max_position_embeddings";
        return fields.NumberOrNull(key) switch
        {
            null => null,
            >= 1 and <= int.MaxValue and double value when value == Math.Floor(value) => (int)value,
            double value => throw fields.Error(key, "a positive integer", $"{value}"),
        };
    }

    private static IReadOnlyList<double> Divisors(ConfigFields fields, string key, int count)
    {
        IReadOnlyList<double> values = fields.NumbersOrNull(key) ?? throw fields.Error(key, $"a list of {count} numbers", "none");
        if (values.Count != count) throw fields.Error(key, $"a list of {count} numbers, one per frequency", $"{values.Count}");
        return values.All(static v => v > 0) ? values : throw fields.Error(key, "positive numbers", "others");
    }
}
