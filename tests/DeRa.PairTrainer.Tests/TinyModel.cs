using System.Numerics;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Tests;

/// <summary>Models small enough for tests, with odd sizes so that no dimension fills a vector or a tile.</summary>
internal static class TinyModel
{
    public static readonly LlamaConfig Config =
        new(VocabSize: 37, HiddenSize: 24, IntermediateSize: 21, NumLayers: 2, NumHeads: 4, NumKvHeads: 2, MaxPositions: 32);

    /// <summary>Weights large enough for every non-linearity to matter.</summary>
    public static LlamaParameters<T> Create<T>(ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        LlamaParameters<T> parameters = new(Config);
        DeterministicRandom random = new(seed);
        foreach (Parameter<T> parameter in parameters.All)
        {
            bool isNorm = parameter.Shape.Length == 1;
            for (int i = 0; i < parameter.Value.Length; i++)
                parameter.Value[i] = T.CreateChecked((isNorm ? 1 : 0) + 0.3 * random.NextGaussian());
        }

        return parameters;
    }

    /// <summary>Sequences of random tokens with the given lengths.</summary>
    public static int[][] Sequences(ulong seed, params int[] lengths)
    {
        DeterministicRandom random = new(seed);
        return [.. lengths.Select(n => Enumerable.Range(0, n).Select(_ => random.NextInt(Config.VocabSize)).ToArray())];
    }
}
