using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Evaluation;

/// <summary>A mean and its standard error.</summary>
internal sealed record Estimate(double Mean, double StandardError)
{
    /// <summary>From independent values; needs at least two.</summary>
    public static Estimate From(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        double variance = values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
        return new Estimate(mean, Math.Sqrt(variance / values.Count));
    }
}

/// <summary>What was measured at one λ.</summary>
/// <param name="Lambda">λ.</param>
/// <param name="Samples">Responses sampled, one per prompt.</param>
/// <param name="Reward">Warm words per response.</param>
/// <param name="KlPerSequence">Σ_t KL(p_λ‖p_r) per response, nats.</param>
/// <param name="KlPerToken">Mean over responses of the KL per token, nats.</param>
/// <param name="Quality">Share of a response's sentences that the grammar accepts.</param>
/// <param name="Complete">Share of responses accepted as a whole.</param>
/// <param name="Finished">Share of responses that ended by themselves.</param>
/// <param name="Length">Tokens per response.</param>
internal sealed record LambdaMeasurement(
    double Lambda, int Samples, Estimate Reward, Estimate KlPerSequence, Estimate KlPerToken, Estimate Quality, Estimate Complete, Estimate Finished,
    Estimate Length);

/// <summary>Measures reward, KL and grammar of the mixture on prompts drawn from the text world.</summary>
internal sealed class PairMeasurement(
    BpeTokenizer tokenizer, LlamaParameters<float> reference, LlamaParameters<float> aligned, Workers workers)
{
    private const int SequencesAtOnce = 128;

    /// <summary>Samples one response for each of <paramref name="samples"/> random prompts, in chat format at temperature 1.</summary>
    public LambdaMeasurement Measure(double lambda, int samples, ulong seed)
    {
        DeterministicRandom random = new(seed);
        Topic[] topics = [.. Enumerable.Range(0, samples).Select(_ => Topic.Sample(random))];
        int[][] prompts = [.. topics.Select(t => ChatFormat.Prompt(tokenizer, random.Pick(t.Prompts())))];
        MixtureSampler sampler = new(reference, aligned, workers, MixtureSampler.DefaultMaxNewTokens);
        SampledResponse[] responses =
            [.. prompts.Chunk(SequencesAtOnce).SelectMany((chunk, c) => sampler.Sample(chunk, lambda, seed + 1 + (ulong)c))];
        string[] texts = [.. responses.Select(r => tokenizer.Decode(r.Tokens))];
        GrammarVerdict[] verdicts = [.. texts.Select((text, i) => GrammarChecker.Check(topics[i], text))];
        return new LambdaMeasurement(
            lambda,
            samples,
            Estimate.From([.. texts.Select(text => (double)WarmthReward.Score(text))]),
            Estimate.From([.. responses.Select(r => r.KlReference.Sum())]),
            Estimate.From([.. responses.Select(r => r.KlReference.Average())]),
            Estimate.From([.. verdicts.Select(v => v.Quality)]),
            Estimate.From([.. verdicts.Select(v => v.Complete ? 1.0 : 0.0)]),
            Estimate.From([.. responses.Select(r => r.Finished ? 1.0 : 0.0)]),
            Estimate.From([.. responses.Select(r => (double)r.Tokens.Length)]));
    }
}
