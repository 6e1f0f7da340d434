namespace DeRa.Checkpoints.Configuration;

/// <summary>Per-layer rules of attention: the score's scale and the sliding window.</summary>
internal static class AttentionRules
{
    /// <summary>Factor on q·k, one per layer.</summary>
    public static IReadOnlyList<float> Scales(ConfigFields fields, Architecture architecture, int headDim, int layers)
    {
        double scale = 1 / Math.Sqrt(headDim);
        if (architecture == Architecture.Gemma2)
        {
            double scalar = fields.Number("query_pre_attn_scalar", 256);
            if (scalar <= 0) throw fields.Error("query_pre_attn_scalar", "a positive number", $"{scalar}");
            scale = 1 / Math.Sqrt(scalar);
        }

        if (architecture != Architecture.Gpt2) return new ValueList<float>(Enumerable.Repeat((float)scale, layers));

        double weight = fields.Flag("scale_attn_weights", true) ? scale : 1;
        bool byLayer = fields.Flag("scale_attn_by_inverse_layer_idx", false);
        return new ValueList<float>(Enumerable.Range(0, layers).Select(layer => (float)(byLayer ? weight / (layer + 1) : weight)));
    }

    /// <summary>Sliding window, one per layer; null for full attention.</summary>
    /// <remarks>
    /// Mistral and Phi-3 slide on every layer where a window is given; Qwen slides only where use_sliding_window is on, from
    /// layer max_window_layers; Gemma-2 slides on even layers. layer_types, where the family reads it, says it layer by layer.
    /// </remarks>
    public static IReadOnlyList<int?> SlidingWindows(ConfigFields fields, Architecture architecture, int layers)
    {
        switch (architecture)
        {
            case Architecture.Mistral:
                int? mistral = fields.PositiveOrNull("sliding_window", 4096);
                return PerLayer(layers, _ => mistral);
            case Architecture.Phi3:
                int? phi3 = fields.PositiveOrNull("sliding_window", null);
                return PerLayer(layers, _ => phi3);
            case Architecture.Qwen2 or Architecture.Qwen3:
                int? qwen = fields.Flag("use_sliding_window", false) ? fields.PositiveOrNull("sliding_window", 4096) : null;
                int full = QwenFullLayers(fields);
                return ByType(fields, layers, qwen) ?? PerLayer(layers, layer => layer >= full ? qwen : null);
            case Architecture.Gemma2:
                int? gemma2 = fields.PositiveOrNull("sliding_window", 4096);
                return ByType(fields, layers, gemma2) ?? PerLayer(layers, layer => layer % 2 == 0 ? gemma2 : null);
            default:
                return PerLayer(layers, _ => null);
        }
    }

    private static int QwenFullLayers(ConfigFields fields)
    {
        double full = fields.NumberOrNull("max_window_layers") ?? 28;
        return full is >= 0 and <= int.MaxValue && full == Math.Floor(full)
            ? (int)full
            : throw fields.Error("max_window_layers", "an integer from 0", $"{full}");
    }

    private static ValueList<int?>? ByType(ConfigFields fields, int layers, int? window)
    {
        if (fields.TextsOrNull("layer_types") is not IReadOnlyList<string> types) return null;
        if (types.Count != layers) throw fields.Error("layer_types", $"{layers} entries, one per layer", $"{types.Count}");
        return PerLayer(layers, layer => types[layer] switch
        {
            "full_attention" => null,
            "sliding_attention" => window,
            _ => throw fields.Error("layer_types", "full_attention or sliding_attention", $"'{types[layer]}'"),
        });
    }

    private static ValueList<int?> PerLayer(int layers, Func<int, int?> window) => new(Enumerable.Range(0, layers).Select(window));
}
