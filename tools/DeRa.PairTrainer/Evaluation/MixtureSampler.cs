using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Evaluation;

/// <summary>A sampled response: its tokens (the end token included when it came) and KL(p_λ‖p_r) at each of them, in nats.</summary>
internal sealed record SampledResponse(int[] Tokens, double[] KlReference)
{
    /// <summary>Whether the response ended by itself.</summary>
    public bool Finished => Tokens.Length > 0 && Tokens[^1] == SpecialTokens.EndId;
}

/// <summary>
/// Samples at temperature 1 from p_λ = softmax((1 − λ)·z_r + λ·z_a), many prompts at a time. Each sequence has a random stream
/// of its own, so its tokens do not depend on the batch.
/// </summary>
internal sealed class MixtureSampler(LlamaParameters<float> reference, LlamaParameters<float> aligned, Workers workers, int maxNewTokens)
{
    /// <summary>Longest response, in tokens; grammatical texts stay below it.</summary>
    public const int DefaultMaxNewTokens = 112;

    /// <summary>Samples one response per prompt.</summary>
    public SampledResponse[] Sample(IReadOnlyList<int[]> prompts, double lambda, ulong seed)
    {
        int capacity = prompts.Max(p => p.Length) + maxNewTokens;
        LlamaDecoder referenceDecoder = new(reference, workers, prompts.Count, capacity);
        LlamaDecoder? alignedDecoder = ReferenceEquals(reference, aligned) ? null : new(aligned, workers, prompts.Count, capacity);
        List<int>[] tokens = [.. prompts.Select(_ => new List<int>())];
        List<double>[] kl = [.. prompts.Select(_ => new List<double>())];
        DeterministicRandom[] randoms = [.. prompts.Select((_, i) => new DeterministicRandom(seed, (ulong)i))];

        DecodeRows rows = new(
            [.. prompts.SelectMany((p, i) => Enumerable.Repeat(i, p.Length))],
            [.. prompts.SelectMany(p => Enumerable.Range(0, p.Length))],
            [.. prompts.SelectMany(p => p)]);
        int[] active = [.. Enumerable.Range(0, prompts.Count)];
        int[] lastRows = new int[prompts.Count];
        for (int i = 0, end = 0; i < prompts.Count; i++)
            lastRows[i] = (end += prompts[i].Length) - 1;

        while (active.Length > 0)
        {
            float[] referenceLogits = referenceDecoder.Forward(rows);
            float[]? alignedLogits = alignedDecoder?.Forward(rows);
            int[] current = active;
            workers.ForRanges(current.Length, (first, end) =>
            {
                Mixture mixture = new(reference.Config.VocabSize);
                for (int i = first; i < end; i++)
                {
                    int slot = current[i];
                    if (alignedLogits is null)
                        mixture.Update(referenceLogits, lastRows[i]);
                    kl[slot].Add(alignedLogits is null ? 0 : mixture.Update(referenceLogits, alignedLogits, lastRows[i], lambda));
                    tokens[slot].Add(mixture.Sample(randoms[slot]));
                }
            });
            active = [.. active.Where(slot => tokens[slot][^1] != SpecialTokens.EndId && tokens[slot].Count < maxNewTokens)];
            rows = new DecodeRows(
                active, [.. active.Select(slot => prompts[slot].Length + tokens[slot].Count - 1)], [.. active.Select(slot => tokens[slot][^1])]);
            lastRows = [.. Enumerable.Range(0, active.Length)];
        }

        return [.. tokens.Select((t, i) => new SampledResponse([.. t], [.. kl[i]]))];
    }
}
