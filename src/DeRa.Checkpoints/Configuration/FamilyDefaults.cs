namespace DeRa.Checkpoints.Configuration;

/// <summary>
/// What Hugging Face's config class of a family uses where config.json has no such key
/// (transformers, src/transformers/models/*/configuration_*.py).
/// </summary>
internal sealed record FamilyDefaults
{
    public required Architecture Architecture { get; init; }
    public required int VocabSize { get; init; }
    public required int HiddenSize { get; init; }

    /// <summary>Null for four times the hidden size.</summary>
    public required int? IntermediateSize { get; init; }
    public required int NumLayers { get; init; }
    public required int NumHeads { get; init; }

    /// <summary>Null for as many as query heads.</summary>
    public int? NumKvHeads { get; init; }

    /// <summary>Null for hidden size / heads.</summary>
    public int? HeadDim { get; init; }
    public required int MaxPositions { get; init; }
    public double NormEpsilon { get; init; } = 1e-6;
    public string Activation { get; init; } = "silu";
    public bool TieWordEmbeddings { get; init; }
    public int? BosId { get; init; }
    public int? EosId { get; init; }
    public int? PadId { get; init; }

    /// <summary>The defaults of a <c>model_type</c>, or null where the engine does not know it.</summary>
    public static FamilyDefaults? Of(string modelType) => modelType switch
    {
        "llama" => new()
        {
            Architecture = Architecture.Llama,
            VocabSize = 32000,
            HiddenSize = 4096,
            IntermediateSize = 11008,
            NumLayers = 32,
            NumHeads = 32,
            MaxPositions = 2048,
            BosId = 1,
            EosId = 2,
        },
        "mistral" => new()
        {
            Architecture = Architecture.Mistral,
            VocabSize = 32000,
            HiddenSize = 4096,
            IntermediateSize = 14336,
            NumLayers = 32,
            NumHeads = 32,
            NumKvHeads = 8,
            MaxPositions = 131072,
            BosId = 1,
            EosId = 2,
        },
        "qwen2" => new()
        {
            Architecture = Architecture.Qwen2,
            VocabSize = 151936,
            HiddenSize = 4096,
            IntermediateSize = 22016,
            NumLayers = 32,
            NumHeads = 32,
            NumKvHeads = 32,
            MaxPositions = 32768,
        },
        "qwen3" => new()
        {
            Architecture = Architecture.Qwen3,
            VocabSize = 151936,
            HiddenSize = 4096,
            IntermediateSize = 22016,
            NumLayers = 32,
            NumHeads = 32,
            NumKvHeads = 32,
            HeadDim = 128,
            MaxPositions = 32768,
        },
        "gpt_neox" => new()
        {
            Architecture = Architecture.GptNeoX,
            VocabSize = 50432,
            HiddenSize = 6144,
            IntermediateSize = 24576,
            NumLayers = 44,
            NumHeads = 64,
            MaxPositions = 2048,
            NormEpsilon = 1e-5,
            Activation = "gelu",
            BosId = 0,
            EosId = 2,
        },
        "gpt2" => new()
        {
            Architecture = Architecture.Gpt2,
            VocabSize = 50257,
            HiddenSize = 768,
            IntermediateSize = null,
            NumLayers = 12,
            NumHeads = 12,
            MaxPositions = 1024,
            NormEpsilon = 1e-5,
            Activation = "gelu_new",
            TieWordEmbeddings = true,
            BosId = 50256,
            EosId = 50256,
        },
        "phi3" => new()
        {
            Architecture = Architecture.Phi3,
            VocabSize = 32064,
            HiddenSize = 3072,
            IntermediateSize = 8192,
            NumLayers = 32,
            NumHeads = 32,
            MaxPositions = 4096,
            NormEpsilon = 1e-5,
            BosId = 1,
            EosId = 32000,
            PadId = 32000,
        },
        "gemma" => new()
        {
            Architecture = Architecture.Gemma,
            VocabSize = 256000,
            HiddenSize = 3072,
            IntermediateSize = 24576,
            NumLayers = 28,
            NumHeads = 16,
            NumKvHeads = 16,
            HeadDim = 256,
            MaxPositions = 8192,
            Activation = "gelu_pytorch_tanh",
            TieWordEmbeddings = true,
            BosId = 2,
            EosId = 1,
            PadId = 0,
        },
        "gemma2" => new()
        {
            Architecture = Architecture.Gemma2,
            VocabSize = 256000,
            HiddenSize = 2304,
            IntermediateSize = 9216,
            NumLayers = 26,
            NumHeads = 8,
            NumKvHeads = 4,
            HeadDim = 256,
            MaxPositions = 8192,
            Activation = "gelu_pytorch_tanh",
            TieWordEmbeddings = true,
            BosId = 2,
            EosId = 1,
            PadId = 0,
        },
        _ => null,
    };
}
