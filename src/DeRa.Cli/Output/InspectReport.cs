using DeRa.Checkpoints;
using DeRa.Engine;
using DeRa.Models;

namespace DeRa.Cli.Output;

/// <summary>What <c>inspect</c> says of one model.</summary>
internal sealed record ModelReport
{
    public ModelReport(string folder, Checkpoint checkpoint)
    {
        ModelConfig config = checkpoint.Config;
        Folder = folder;
        Architecture = config.ModelType;
        Parameters = checkpoint.Summary.ParameterCount;
        WeightBytes = checkpoint.Summary.ByteLength;
        BytesByDtype = checkpoint.Summary.BytesByDType.ToDictionary(entry => entry.Key.ToString().ToLowerInvariant(), entry => entry.Value);
        Layers = config.NumLayers;
        HiddenSize = config.HiddenSize;
        IntermediateSize = config.IntermediateSize;
        Heads = config.NumHeads;
        KvHeads = config.NumKvHeads;
        HeadDim = config.HeadDim;
        VocabularySize = config.VocabSize;
        MaxPositions = config.MaxPositionEmbeddings;
        Rope = config.Rope?.Type.ToString().ToLowerInvariant();
        SlidingWindows = [.. config.SlidingWindows.Distinct()];
        TiedOutput = checkpoint.Summary.IsTied;
        EosIds = config.EosIds;
        KvBytesPerToken = KvCache.BytesPerBlock(config) / KvCache.BlockSize;
        UnusedTensors = checkpoint.UnusedTensors;
    }

    public string Folder { get; }

    public string Architecture { get; }

    public long Parameters { get; }

    public long WeightBytes { get; }

    public IReadOnlyDictionary<string, long> BytesByDtype { get; }

    public int Layers { get; }

    public int HiddenSize { get; }

    public int IntermediateSize { get; }

    public int Heads { get; }

    public int KvHeads { get; }

    public int HeadDim { get; }

    public int VocabularySize { get; }

    public int MaxPositions { get; }

    public string? Rope { get; }

    public IReadOnlyList<int?> SlidingWindows { get; }

    public bool TiedOutput { get; }

    public IReadOnlyList<int> EosIds { get; }

    /// <summary>Float32 keys and values of all layers.</summary>
    public long KvBytesPerToken { get; }

    public IReadOnlyList<string> UnusedTensors { get; }
}

/// <summary>What <c>inspect</c> says of a pair.</summary>
internal sealed record PairReport(
    bool Fits, string Vocabulary, int SharedVocabulary, int SharedTensors, long SharedBytes, bool SharedOutput, long WeightBytes, long KvBytesPerToken)
{
    public static PairReport Of(Checkpoint reference, Checkpoint aligned, PairText text)
    {
        SharedTensors shared = Models.SharedTensors.Find(reference.Weights, aligned.Weights);
        int vocabulary = PairCheck.SharedVocabulary(reference.Config, aligned.Config);
        (bool fits, string agreement) = Agreement(text, vocabulary);
        return new PairReport(
            fits,
            agreement,
            vocabulary,
            shared.Count,
            shared.Bytes,
            IsShared(shared, reference.Weights.OutputHead, aligned.Weights.OutputHead),
            reference.Summary.ByteLength + aligned.Summary.ByteLength - shared.Bytes,
            (KvCache.BytesPerBlock(reference.Config) + KvCache.BytesPerBlock(aligned.Config)) / KvCache.BlockSize);
    }

    private static bool IsShared(SharedTensors shared, CheckpointTensor reference, CheckpointTensor aligned) =>
        ReferenceEquals(shared.StoredAs(aligned), reference);

    private static (bool Fits, string Agreement) Agreement(PairText text, int vocabulary)
    {
        if (!text.HasBothTokenizers)
        {
            return (true, "not checked: a folder has no tokenizer");
        }

        try
        {
            text.CheckVocabulary(vocabulary);
            return (true, "same tokens, same ids");
        }
        catch (PairMismatchException exception)
        {
            return (false, exception.Message);
        }
    }
}
