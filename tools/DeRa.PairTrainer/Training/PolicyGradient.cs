using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;

namespace DeRa.PairTrainer.Training;

/// <summary>Settings of the alignment stage.</summary>
internal sealed record PolicyOptions(
    int Steps, int PromptsPerStep, int SamplesPerPrompt, double PeakLearningRate, double Beta, double Discount, double DriftPenalty, ulong Seed,
    int MaxNewTokens = MixtureSampler.DefaultMaxNewTokens);

/// <summary>Averages over the samples of one step.</summary>
internal sealed record PolicyStep(double Reward, double KlPerSequence, double Length)
{
    /// <summary>What training maximises.</summary>
    public double Objective(double beta) => Reward - beta * KlPerSequence;
}

/// <summary>
/// Maximises E[reward] − β·KL(policy‖reference) by policy gradient (Williams, 1992). A token is credited with the reward and the
/// KL that come after it, discounted because a word does most of what it does soon, minus the mean of that over the other
/// samples of the same prompt at the same position (leave-one-out baseline). The KL of a position is computed exactly over the
/// vocabulary, and its own gradient is exact as well.
/// The KL hardly sees tokens that both models find improbable, yet extrapolation past λ = 1 raises whatever drifted up there; a small
/// penalty on the mean square of the centred logit differences keeps that tail in place.
/// Embedding and output matrices stay as they are, so both models of the pair share them.
/// </summary>
/// <param name="tokenizer">The tokenizer of both models.</param>
/// <param name="workers">Threads.</param>
/// <param name="options">Settings.</param>
/// <param name="reward">Judges the tokens of a response, whole or cut short; the end token is among them when it came.</param>
internal sealed class PolicyGradient(BpeTokenizer tokenizer, Workers workers, PolicyOptions options, Func<int[], double> reward)
{
    private const int WarmUpSteps = 10;

    /// <summary>Trains <paramref name="policy"/> in place; reports after every step.</summary>
    public void Train(LlamaParameters<float> policy, LlamaParameters<float> reference, Action<int, PolicyStep> report)
    {
        LlamaPass<float> pass = new(policy.Config, workers);
        AdamW optimizer = new([.. policy.All.Where(p => p != policy.EmbedTokens && p != policy.LmHead)], weightDecay: 0);
        LearningRate schedule = new(options.PeakLearningRate, WarmUpSteps, options.Steps);
        float[] referenceLogits = [];
        for (int step = 0; step < options.Steps; step++)
        {
            Rollout[] rollouts = SampleRollouts(policy, step);
            PackedBatch batch = new([.. rollouts.Select(r => r.Inputs)]);
            int count = batch.Tokens.Length * policy.Config.VocabSize;
            Buffers.Ensure(ref referenceLogits, count);
            Array.Copy(pass.Forward(reference, batch), referenceLogits, count);
            policy.ClearGradients();
            float[] logits = pass.Forward(policy, batch);
            double[] kl = PositionKl(batch, logits, referenceLogits, policy.Config.VocabSize);
            PolicyStep outcome = SetAdvantages(rollouts, batch, kl);
            WriteGradient(rollouts, batch, kl, logits, referenceLogits, policy.Config.VocabSize);
            pass.Backward(policy, batch, logits);
            optimizer.Step(workers, schedule.At(step));
            report(step, outcome);
        }
    }

    private Rollout[] SampleRollouts(LlamaParameters<float> policy, int step)
    {
        DeterministicRandom random = new(options.Seed, (ulong)step);
        List<int[]> prompts = [];
        for (int p = 0; p < options.PromptsPerStep; p++)
        {
            string text = random.Pick(Topic.Sample(random).Prompts());
            int[] prompt = random.NextDouble() < SupervisedExamples.PlainShare
                ? ChatFormat.PlainPrompt(tokenizer, text)
                : ChatFormat.Prompt(tokenizer, text);
            prompts.AddRange(Enumerable.Repeat(prompt, options.SamplesPerPrompt));
        }

        MixtureSampler sampler = new(policy, policy, workers, options.MaxNewTokens);
        SampledResponse[] responses = sampler.Sample(prompts, 1, random.NextBits());
        return [.. responses.Select((response, i) => new Rollout(prompts[i], response.Tokens, TokenRewards(response.Tokens)))];
    }

    /// <summary>The reward as it comes in: each token gets what it adds to the reward of the text so far.</summary>
    private double[] TokenRewards(int[] response)
    {
        double[] rewards = new double[response.Length];
        double before = 0;
        for (int t = 0; t < response.Length; t++)
        {
            double after = reward(response[..(t + 1)]);
            rewards[t] = after - before;
            before = after;
        }

        return rewards;
    }

    /// <summary>KL(policy‖reference) at every token of the batch, [tokens].</summary>
    private double[] PositionKl(PackedBatch batch, float[] logits, float[] referenceLogits, int vocab)
    {
        double[] kl = new double[batch.Tokens.Length];
        workers.ForRanges(kl.Length, (first, end) =>
        {
            for (int t = first; t < end; t++)
            {
                Span<float> row = logits.AsSpan(t * vocab, vocab);
                Span<float> referenceRow = referenceLogits.AsSpan(t * vocab, vocab);
                float normalizer = VectorMath.LogSumExp<float>(row);
                float referenceNormalizer = VectorMath.LogSumExp<float>(referenceRow);
                double sum = 0;
                for (int i = 0; i < vocab; i++)
                {
                    row[i] -= normalizer;
                    referenceRow[i] -= referenceNormalizer;
                    sum += MathF.Exp(row[i]) * (row[i] - referenceRow[i]);
                }

                kl[t] = sum;
            }
        });
        return kl;
    }

    /// <summary>
    /// Return of token t: G_t = r_t + γ·(G_{t+1} − β·KL_{t+1}). The KL of position t itself does not depend on the token drawn there.
    /// </summary>
    private PolicyStep SetAdvantages(Rollout[] rollouts, PackedBatch batch, double[] kl)
    {
        double totalReward = 0, totalKl = 0, length = 0;
        for (int s = 0; s < rollouts.Length; s++)
        {
            Rollout rollout = rollouts[s];
            double later = 0;
            for (int t = rollout.Response.Length - 1; t >= 0; t--)
            {
                rollout.Returns[t] = rollout.Rewards[t] + options.Discount * later;
                double positionKl = kl[batch.Starts[s] + rollout.Prompt.Length - 1 + t];
                later = rollout.Returns[t] - options.Beta * positionKl;
                totalKl += positionKl;
            }

            totalReward += rollout.Rewards.Sum();
            length += rollout.Response.Length;
        }

        foreach (Rollout[] group in rollouts.Chunk(options.SamplesPerPrompt))
            SubtractBaseline(group);
        return new PolicyStep(totalReward / rollouts.Length, totalKl / rollouts.Length, length / rollouts.Length);
    }

    private static void SubtractBaseline(Rollout[] group)
    {
        for (int t = 0; t < group.Max(r => r.Response.Length); t++)
        {
            // A sample that has already ended has nothing more to come: its return is 0.
            double sum = group.Sum(r => t < r.Returns.Length ? r.Returns[t] : 0);
            foreach (Rollout rollout in group.Where(r => t < r.Response.Length))
                rollout.Advantages[t] = rollout.Returns[t] - (sum - rollout.Returns[t]) / (group.Length - 1);
        }
    }

    /// <summary>
    /// Replaces log-probabilities by the gradient of the loss: −A_t·(1[i = y_t] − π_i) + β·π_i·(Δ_i − KL_t) + 2c/V·(Δ_i − mean Δ), with
    /// Δ = log π − log ρ and c the drift penalty.
    /// </summary>
    private void WriteGradient(Rollout[] rollouts, PackedBatch batch, double[] kl, float[] logProbabilities, float[] reference, int vocab)
    {
        float scale = 1f / rollouts.Sum(r => r.Response.Length);
        float beta = (float)options.Beta;
        float drift = (float)(2 * options.DriftPenalty / vocab);
        workers.ForRanges(rollouts.Length, (first, end) =>
        {
            for (int s = first; s < end; s++)
            {
                Rollout rollout = rollouts[s];
                logProbabilities.AsSpan(batch.Starts[s] * vocab, (rollout.Prompt.Length - 1) * vocab).Clear();
                for (int t = 0; t < rollout.Response.Length; t++)
                {
                    int position = batch.Starts[s] + rollout.Prompt.Length - 1 + t;
                    Span<float> row = logProbabilities.AsSpan(position * vocab, vocab);
                    ReadOnlySpan<float> referenceRow = reference.AsSpan(position * vocab, vocab);
                    float advantage = (float)rollout.Advantages[t];
                    float mean = 0;
                    for (int i = 0; i < vocab; i++)
                        mean += (row[i] - referenceRow[i]) / vocab;
                    for (int i = 0; i < vocab; i++)
                    {
                        float delta = row[i] - referenceRow[i];
                        row[i] = scale * (MathF.Exp(row[i]) * (advantage + beta * (delta - (float)kl[position])) + drift * (delta - mean));
                    }

                    row[rollout.Response[t]] -= scale * advantage;
                }
            }
        });
    }

    /// <summary>One sampled sequence; per-token arrays are [response].</summary>
    private sealed record Rollout(int[] Prompt, int[] Response, double[] Rewards)
    {
        /// <summary>What the model reads: all tokens but the last.</summary>
        public int[] Inputs { get; } = [.. Prompt, .. Response[..^1]];

        public double[] Returns { get; } = new double[Response.Length];

        public double[] Advantages { get; } = new double[Response.Length];
    }
}
