using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer;

/// <summary>Every number that decides what the pair becomes.</summary>
internal sealed record Recipe(
    int VocabularySize, int CorpusSamples, ulong CorpusSeed, int HiddenSize, int IntermediateSize, int NumLayers, int NumHeads, int NumKvHeads,
    int MaxPositions, ulong InitializationSeed, SupervisedOptions Supervised, PolicyOptions Policy, int MeasuredSamples, ulong MeasurementSeed)
{
    /// <summary>The pair in weights/.</summary>
    public static Recipe Demo { get; } = new(
        VocabularySize: 1024,
        CorpusSamples: 4000,
        CorpusSeed: 1,
        HiddenSize: 128,
        IntermediateSize: 320,
        NumLayers: 4,
        NumHeads: 4,
        NumKvHeads: 2,
        MaxPositions: 512,
        InitializationSeed: 2,
        Supervised: new(Steps: 1500, SequencesPerStep: 32, PeakLearningRate: 3e-3, Seed: 3),
        Policy: new(
            Steps: 150, PromptsPerStep: 24, SamplesPerPrompt: 4, PeakLearningRate: 7e-4, Beta: 0.3, Discount: 0.8, DriftPenalty: 0.03, Seed: 4),
        MeasuredSamples: 512,
        MeasurementSeed: 5);

    /// <summary>
    /// The reference model of docs/reproduction/: a fifth of the demo pair's size, because the experiments there train more than a dozen models. The
    /// smaller vocabulary makes texts longer, so that 40 to 50 tokens is a length that some have.
    /// </summary>
    public static Recipe Study { get; } = Demo with
    {
        VocabularySize = 512,
        HiddenSize = 64,
        IntermediateSize = 160,
        NumLayers = 3,
        Supervised = Demo.Supervised with { Seed = 21 },
    };

    /// <summary>The same path with a tiny model and a few steps, for a check in seconds.</summary>
    public static Recipe Quick { get; } = Demo with
    {
        VocabularySize = 512,
        CorpusSamples = 300,
        HiddenSize = 32,
        IntermediateSize = 64,
        NumLayers = 2,
        NumHeads = 2,
        NumKvHeads = 1,
        Supervised = Demo.Supervised with { Steps = 60, SequencesPerStep = 8, PeakLearningRate = 1e-2 },
        Policy = Demo.Policy with { Steps = 5, PromptsPerStep = 4 },
        MeasuredSamples = 16,
    };

    /// <summary>The sizes of both models for a tokenizer.</summary>
    public LlamaConfig ModelConfig(BpeTokenizer tokenizer) =>
        new(tokenizer.Tokens.Count, HiddenSize, IntermediateSize, NumLayers, NumHeads, NumKvHeads, MaxPositions);
}
