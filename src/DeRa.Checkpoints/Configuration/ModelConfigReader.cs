using DeRa.Checkpoints.Rope;
using DeRa.Checkpoints.WeightMaps;
using DeRa.Kernels;

namespace DeRa.Checkpoints.Configuration;

/// <summary>Turns config.json and generation_config.json into a <see cref="ModelConfig"/>.</summary>
internal static class ModelConfigReader
{
    private const string SupportedTypes = "llama, mistral, qwen2, qwen3, gpt_neox, gpt2, phi3, gemma or gemma2";
    private const long MaxBytes = 16_000_000;

    // Far above every model there is; they keep a hostile config from asking for lists and products without end.
    private const int MaxLayers = 4096;
    private const int MaxWidth = 1 << 22;
    private const int MaxVocab = 1 << 28;

    /// <summary>Reads the files of a folder.</summary>
    public static ModelConfig Load(string folder, string configFileName, OutputKind output = OutputKind.Vocabulary)
    {
        string config = Path.Combine(folder, configFileName);
        if (!File.Exists(config)) throw new CheckpointException(folder, configFileName, "a Hugging Face config file", "none");
        string generation = Path.Combine(folder, "generation_config.json");
        return Parse(
            JsonFile.ReadBytes(config, MaxBytes),
            File.Exists(generation) ? JsonFile.ReadBytes(generation, MaxBytes) : default,
            config,
            generation,
            output);
    }

    /// <summary>Parses the files' bytes.</summary>
    public static ModelConfig Parse(
        ReadOnlyMemory<byte> config, ReadOnlyMemory<byte> generation, string file, string generationFile = "generation_config.json",
        OutputKind output = OutputKind.Vocabulary)
    {
        ModelConfig model = JsonFile.Read(config, file, root => Read(new ConfigFields(root, file), output));
        return generation.IsEmpty
            ? model
            : JsonFile.Read(generation, generationFile, root => WithGeneration(model, new ConfigFields(root, generationFile)));
    }

    private static ModelConfig Read(ConfigFields fields, OutputKind output)
    {
        FamilyDefaults family = Family(fields);
        RefuseUnsupported(fields, family.Architecture, output);

        int layers = Aliased(fields, "num_hidden_layers", "n_layer", family.NumLayers, MaxLayers);
        int hidden = Aliased(fields, "hidden_size", "n_embd", family.HiddenSize, MaxWidth);
        int heads = Aliased(fields, "num_attention_heads", "n_head", family.NumHeads, MaxWidth);
        int positions = Aliased(fields, "max_position_embeddings", "n_positions", family.MaxPositions, int.MaxValue);
        int kvHeads = KvHeads(fields, family, heads);
        int headDim = HeadDim(fields, family, hidden, heads);
        (bool qkvBias, bool outputBias, bool mlpBias) = Biases(fields, family.Architecture);
        bool gemma = family.Architecture is Architecture.Gemma or Architecture.Gemma2;

        return new ModelConfig
        {
            Architecture = family.Architecture,
            ModelType = fields.TextOrNull("model_type")!,
            HiddenSize = hidden,
            IntermediateSize = IntermediateSize(fields, family, hidden),
            NumLayers = layers,
            NumHeads = heads,
            NumKvHeads = kvHeads,
            HeadDim = headDim,
            VocabSize = fields.Positive("vocab_size", family.VocabSize, MaxVocab),
            MaxPositionEmbeddings = positions,
            NormEpsilon = NormEpsilon(fields, family),
            Activation = ActivationOf(fields, family),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", family.TieWordEmbeddings),
            Rope = family.Architecture == Architecture.Gpt2
                ? null
                : RopeReader.Read(fields, family.Architecture, headDim, positions),
            AttentionScales = AttentionRules.Scales(fields, family.Architecture, headDim, layers),
            SlidingWindows = AttentionRules.SlidingWindows(fields, family.Architecture, layers),
            AttentionSoftCap = SoftCap(fields, family.Architecture, "attn_logit_softcapping", 50),
            LogitSoftCap = SoftCap(fields, family.Architecture, "final_logit_softcapping", 30),
            EmbeddingScale = gemma ? (float)Math.Sqrt(hidden) : 1,
            UnitOffsetNorm = gemma,
            ParallelResidual = family.Architecture == Architecture.GptNeoX && fields.Flag("use_parallel_residual", true),
            QkvBias = qkvBias,
            OutputProjectionBias = outputBias,
            MlpBias = mlpBias,
            EosIds = fields.Has("eos_token_id")
                ? fields.TokenIds("eos_token_id") ?? new ValueList<int>([])
                : new ValueList<int>(family.EosId is int eos ? [eos] : []),
            BosId = fields.TokenId("bos_token_id", family.BosId),
            PadId = fields.TokenId("pad_token_id", family.PadId),
        };
    }

    private static FamilyDefaults Family(ConfigFields fields)
    {
        string? type = fields.TextOrNull("model_type");
        if (type is not null && FamilyDefaults.Of(type) is FamilyDefaults family) return family;
        string found = type is null ? "none" : $"'{type}'";
        if (fields.HasValue("auto_map")) found += " with auto_map (code shipped with the checkpoint is never run)";
        throw fields.Error("model_type", SupportedTypes, found);
    }

    private static void RefuseUnsupported(ConfigFields fields, Architecture architecture, OutputKind output)
    {
        foreach (string key in (ReadOnlySpan<string>)["quantization_config", "compression_config"])
        {
            if (fields.ObjectOrNull(key) is not ConfigFields quantization) continue;
            string method = quantization.TextOrNull("quant_method") ?? quantization.TextOrNull("quant_type") ?? "unnamed";
            throw fields.Error(key, "unquantised weights (F32, F16 or BF16)", $"quantisation '{method}'");
        }

        foreach (string name in fields.TextsOrNull("architectures") ?? [])
        {
            // Their folders hold a classifier in place of an output matrix; one of whole texts is what a scalar head is.
            if (output == OutputKind.Scalar && name.EndsWith("ForSequenceClassification", StringComparison.Ordinal)) continue;
            if (name.EndsWith("Classification", StringComparison.Ordinal) || name.EndsWith("QuestionAnswering", StringComparison.Ordinal))
                throw fields.Error("architectures", output == OutputKind.Scalar ? "a sequence classifier" : "a causal language model", $"'{name}'");
        }

        if (architecture is Architecture.Gemma or Architecture.Gemma2 && fields.Flag("use_bidirectional_attention", false))
            throw fields.Error("use_bidirectional_attention", "false (causal attention)", "true");
        if (architecture == Architecture.Gpt2 && fields.Flag("add_cross_attention", false))
            throw fields.Error("add_cross_attention", "false (a decoder alone)", "true");
    }

    // GPT-2's config class names its sizes n_* and accepts the common names too; the common name wins where both stand.
    private static int Aliased(ConfigFields fields, string key, string gpt2Key, int absent, int max)
    {
        bool gpt2 = fields.TextOrNull("model_type") == "gpt2" && !fields.Has(key);
        return fields.Positive(gpt2 ? gpt2Key : key, absent, max);
    }

    private static int IntermediateSize(ConfigFields fields, FamilyDefaults family, int hidden)
    {
        if (family.Architecture == Architecture.Gpt2)
            return fields.PositiveOrNull("n_inner", null, MaxWidth) ?? checked(4 * hidden);
        return fields.Positive("intermediate_size", family.IntermediateSize ?? 4 * hidden, MaxWidth);
    }

    private static int KvHeads(ConfigFields fields, FamilyDefaults family, int heads)
    {
        if (family.Architecture is Architecture.Gpt2 or Architecture.GptNeoX) return heads;
        int kvHeads = fields.PositiveOrNull("num_key_value_heads", family.NumKvHeads) ?? heads;
        return heads % kvHeads == 0
            ? kvHeads
            : throw fields.Error("num_key_value_heads", $"a divisor of num_attention_heads ({heads})", $"{kvHeads}");
    }

    private static int HeadDim(ConfigFields fields, FamilyDefaults family, int hidden, int heads)
    {
        bool derived = family.Architecture is Architecture.Gpt2 or Architecture.GptNeoX;
        int? explicitDim = derived ? null : fields.PositiveOrNull("head_dim", family.HeadDim, MaxWidth);
        int headDim = explicitDim ?? (hidden % heads == 0
            ? hidden / heads
            : throw fields.Error("num_attention_heads", $"a divisor of the hidden size {hidden} where head_dim is not given", $"{heads}"));
        return (long)headDim * heads <= MaxWidth
            ? headDim
            : throw fields.Error("head_dim", $"heads × head_dim up to {MaxWidth}", $"{heads} × {headDim}");
    }

    private static float NormEpsilon(ConfigFields fields, FamilyDefaults family)
    {
        string key = family.Architecture switch
        {
            Architecture.GptNeoX => "layer_norm_eps",
            Architecture.Gpt2 => "layer_norm_epsilon",
            _ => "rms_norm_eps",
        };
        double epsilon = fields.Number(key, family.NormEpsilon);
        return epsilon is >= 0 and < 1 ? (float)epsilon : throw fields.Error(key, "a number from 0 to 1", $"{epsilon}");
    }

    private static ActivationKind ActivationOf(ConfigFields fields, FamilyDefaults family)
    {
        string key = family.Architecture switch
        {
            Architecture.Gpt2 => "activation_function",
            Architecture.Gemma2 => "hidden_activation",
            Architecture.Gemma when fields.HasValue("hidden_activation") => "hidden_activation",
            _ => "hidden_act",
        };
        string name = fields.TextOrNull(key) ?? family.Activation;

        // The first Gemma checkpoints say "gelu" in hidden_act but were trained with the tanh form; hidden_activation was
        // added to say so (transformers pull request 29402).
        if (family.Architecture == Architecture.Gemma && key == "hidden_act" && name == "gelu") return ActivationKind.GeluTanh;
        return Activations.Parse(name, fields.File, key);
    }

    private static (bool Qkv, bool Output, bool Mlp) Biases(ConfigFields fields, Architecture architecture)
    {
        switch (architecture)
        {
            case Architecture.Llama:
                bool attention = fields.Flag("attention_bias", false);
                return (attention, attention, fields.Flag("mlp_bias", false));
            case Architecture.Qwen3 or Architecture.Gemma or Architecture.Gemma2:
                bool bias = fields.Flag("attention_bias", false);
                return (bias, bias, false);
            case Architecture.GptNeoX:
                bool neox = fields.Flag("attention_bias", true);
                return (neox, neox, true);
            case Architecture.Gpt2:
                return (true, true, true);
            case Architecture.Qwen2:
                return (true, false, false);
            default:
                return (false, false, false);
        }
    }

    private static float? SoftCap(ConfigFields fields, Architecture architecture, string key, double absent)
    {
        if (architecture != Architecture.Gemma2) return null;
        double? cap = fields.Has(key) ? fields.NumberOrNull(key) : absent;
        return cap is null or > 0 ? (float?)cap : throw fields.Error(key, "a positive number or null", $"{cap}");
    }

    private static ModelConfig WithGeneration(ModelConfig model, ConfigFields fields) => model with
    {
        EosIds = fields.TokenIds("eos_token_id") ?? model.EosIds,
        BosId = fields.TokenId("bos_token_id", null) ?? model.BosId,
        PadId = fields.TokenId("pad_token_id", null) ?? model.PadId,
        Generation = new GenerationDefaults
        {
            DoSample = fields.FlagOrNull("do_sample"),
            Temperature = (float?)fields.NumberOrNull("temperature"),
            TopP = (float?)fields.NumberOrNull("top_p"),
            TopK = fields.NumberOrNull("top_k") is double topK
                ? topK is >= 0 and <= int.MaxValue && topK == Math.Floor(topK)
                    ? (int)topK
                    : throw fields.Error("top_k", "an integer from 0", $"{topK}")
                : null,
            MinP = (float?)fields.NumberOrNull("min_p"),
            RepetitionPenalty = (float?)fields.NumberOrNull("repetition_penalty"),
        },
    };
}
