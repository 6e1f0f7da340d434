using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Evaluation;

/// <summary>One sampled answer, for the model card.</summary>
internal sealed record ShowcaseAnswer(string Prompt, double Lambda, string Text);

/// <summary>Samples the same prompts at several λ with the same random streams. The first answer counts; nothing is picked.</summary>
internal sealed class Showcase(BpeTokenizer tokenizer, LlamaParameters<float> reference, LlamaParameters<float> aligned, Workers workers)
{
    private const ulong Seed = 7;

    private static readonly double[] Lambdas = [0, 0.5, 1, 2];

    /// <summary>Answers to the first two demo prompts.</summary>
    public ShowcaseAnswer[] Sample()
    {
        string[] prompts = [.. DemoPrompts.All.Take(2).Select(p => p.Prompt)];
        int[][] tokens = [.. prompts.Select(p => ChatFormat.Prompt(tokenizer, p))];
        MixtureSampler sampler = new(reference, aligned, workers, MixtureSampler.DefaultMaxNewTokens);
        return
        [
            .. Lambdas.SelectMany(lambda => sampler.Sample(tokens, lambda, Seed)
                .Select((response, i) => new ShowcaseAnswer(prompts[i], lambda, tokenizer.Decode(response.Tokens)))),
        ];
    }
}
