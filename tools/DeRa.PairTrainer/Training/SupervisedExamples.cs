using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;

namespace DeRa.PairTrainer.Training;

/// <summary>A batch with its next-token targets and the weight of each prediction.</summary>
internal sealed record SupervisedBatch(PackedBatch Inputs, int[] Targets, float[] Weights);

/// <summary>Draws fine-tuning examples from the text world.</summary>
internal sealed class SupervisedExamples(BpeTokenizer tokenizer)
{
    /// <summary>Share of examples in the plain format, without turns.</summary>
    public const double PlainShare = 0.15;

    private const double TwoTurnShare = 0.1;

    /// <summary>Prompt tokens are predicted too, but they are mostly free choices and count for little.</summary>
    private const float PromptWeight = 0.1f;

    /// <summary>Draws a batch of sequences.</summary>
    public SupervisedBatch Draw(DeterministicRandom random, int sequences)
    {
        List<int[]> inputs = [];
        List<int> targets = [];
        List<float> weights = [];
        for (int s = 0; s < sequences; s++)
        {
            (int[] tokens, float[] tokenWeights) = DrawSequence(random);
            inputs.Add(tokens[..^1]);
            targets.AddRange(tokens[1..]);
            weights.AddRange(tokenWeights[1..]);
        }

        return new SupervisedBatch(new PackedBatch(inputs), [.. targets], [.. weights]);
    }

    private (int[] Tokens, float[] Weights) DrawSequence(DeterministicRandom random)
    {
        TextSample sample = TextSample.Draw(random);
        double format = random.NextDouble();
        List<(int[] Tokens, float Weight)> parts = format < PlainShare
            ? [(ChatFormat.PlainPrompt(tokenizer, sample.Prompt), PromptWeight), (ChatFormat.PlainResponse(tokenizer, sample.Response), 1)]
            : [(ChatFormat.Prompt(tokenizer, sample.Prompt), PromptWeight), (ChatFormat.Response(tokenizer, sample.Response), 1)];
        if (format > 1 - TwoTurnShare)
        {
            TextSample next = TextSample.Draw(random);
            parts.Add((ChatFormat.Turn(tokenizer, next.Prompt), PromptWeight));
            parts.Add((ChatFormat.Response(tokenizer, next.Response), 1));
        }

        return ([.. parts.SelectMany(p => p.Tokens)], [.. parts.SelectMany(p => Enumerable.Repeat(p.Weight, p.Tokens.Length))]);
    }
}
