using System.Text.Json;

namespace DeRa.Models.Tests.Reference;

/// <summary>Rotary frequencies as transformers computes them for a forward pass over n tokens (modeling_rope_utils.py).</summary>
internal static class HfRope
{
    /// <summary>Inverse frequencies [rotary / 2] and the factor on cos and sin.</summary>
    public static (double[] InverseFrequencies, double Factor) Of(HfCheckpoint c, int headDim, int n)
    {
        JsonElement? rope = c.Rope;
        double Get(string name, double otherwise) =>
            rope is { } r && r.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble()
            : c.Number(name) ?? otherwise;

        double theta = Get("rope_theta", c.Number("rotary_emb_base") ?? 10000);
        double partial = Get("partial_rotary_factor", c.Number("rotary_pct") ?? 1);
        int dim = (int)(headDim * partial);
        int max = c.Int("max_position_embeddings");
        double factor = Get("factor", 1);
        string type = rope is { } s && (s.TryGetProperty("rope_type", out JsonElement t) || s.TryGetProperty("type", out t)) ? t.GetString()! : "default";
        double[] Frequencies(double b, Func<int, double> divisor) =>
            [.. Enumerable.Range(0, dim / 2).Select(i => 1 / (divisor(i) * Math.Pow(b, 2.0 * i / dim)))];

        switch (type)
        {
            case "default":
                return (Frequencies(theta, _ => 1), 1);
            case "linear":
                return (Frequencies(theta, _ => factor), 1);
            case "dynamic":
                double length = Math.Max(n, max);
                return (Frequencies(theta * Math.Pow((factor * length / max) - (factor - 1), dim / (dim - 2.0)), _ => 1), 1);
            case "llama3":
                return (Llama3(Frequencies(theta, _ => 1), factor, Get("low_freq_factor", 0), Get("high_freq_factor", 0),
                    Get("original_max_position_embeddings", 0)), 1);
            case "longrope" or "su":
                double original = Get("original_max_position_embeddings", max);
                double stretch = max / original;
                string set = n > original ? "long_factor" : "short_factor";
                double[] divisors = [.. rope!.Value.GetProperty(set).EnumerateArray().Select(e => e.GetDouble())];
                double derived = stretch <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(stretch) / Math.Log(original)));
                return (Frequencies(theta, i => divisors[i]), Get("attention_factor", derived));
            case "yarn":
                double Magnitude(double weight) => factor <= 1 ? 1 : (0.1 * weight * Math.Log(factor)) + 1;
                double all = Get("mscale_all_dim", 0), magnitude = all == 0 ? Magnitude(1) : Magnitude(Get("mscale", 0)) / Magnitude(all);
                bool truncate = !(rope!.Value.TryGetProperty("truncate", out JsonElement cut) && cut.ValueKind == JsonValueKind.False);
                return (Yarn(Frequencies(theta, _ => 1), theta, dim, factor, Get("original_max_position_embeddings", max),
                    Get("beta_fast", 32), Get("beta_slow", 1), truncate), Get("attention_factor", magnitude));
            default:
                throw new NotSupportedException(type);
        }
    }

    private static double[] Llama3(double[] plain, double factor, double low, double high, double original) =>
    [
        .. plain.Select(f =>
        {
            double wavelength = 2 * Math.PI / f;
            if (wavelength < original / high) return f;
            if (wavelength > original / low) return f / factor;
            double smooth = ((original / wavelength) - low) / (high - low);
            return ((1 - smooth) * f / factor) + (smooth * f);
        }),
    ];

    private static double[] Yarn(double[] plain, double theta, int dim, double factor, double original, double fast, double slow, bool truncate)
    {
        double Dimension(double rotations) => dim * Math.Log(original / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
        double low = Dimension(fast), high = Dimension(slow);
        if (truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, dim - 1));
        if (low == high) high += 0.001;
        return
        [
            .. plain.Select((f, i) =>
            {
                double ramp = Math.Clamp((i - low) / (high - low), 0, 1);
                return (f / factor * ramp) + (f * (1 - ramp));
            }),
        ];
    }
}
