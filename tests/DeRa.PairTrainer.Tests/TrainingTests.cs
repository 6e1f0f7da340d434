using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Tests;

/// <summary>A few real steps of both stages, with a model of a few thousand weights.</summary>
public class TrainingTests
{
    private static readonly Workers Threads = new(1);
    private static readonly Lazy<Alignment> WeaklyHeld = new(() => Align(beta: 0.01));

    [Test]
    public void Supervised_loss_falls_and_repeats_exactly()
    {
        double[] first = SupervisedLosses();

        Assert.Multiple(() =>
        {
            Assert.That(first[0], Is.EqualTo(Math.Log(Tokenizer().Tokens.Count)).Within(0.1), "an untrained model knows nothing");
            Assert.That(first.TakeLast(5).Average(), Is.LessThan(first[0] - 1.5));
            Assert.That(SupervisedLosses(), Is.EqualTo(first));
        });
    }

    [Test]
    public void Policy_gradient_raises_the_reward_and_leaves_shared_matrices_alone()
    {
        (LlamaParameters<float> reference, LlamaParameters<float> policy, List<PolicyStep> steps) = WeaklyHeld.Value;

        Assert.Multiple(() =>
        {
            Assert.That(steps[0].KlPerSequence, Is.EqualTo(0).Within(1e-6), "the policy starts as the reference");
            Assert.That(steps.TakeLast(3).Average(s => s.Reward), Is.GreaterThan(steps.Take(3).Average(s => s.Reward) + 2));
            Assert.That(steps[^1].KlPerSequence, Is.GreaterThan(0.1));
            Assert.That(policy.EmbedTokens.Value, Is.EqualTo(reference.EmbedTokens.Value));
            Assert.That(policy.LmHead.Value, Is.EqualTo(reference.LmHead.Value));
            Assert.That(policy.Norm.Value, Is.Not.EqualTo(reference.Norm.Value));
        });
    }

    [Test]
    public void Large_beta_keeps_the_policy_near_the_reference()
    {
        double free = WeaklyHeld.Value.Steps[^1].KlPerSequence;
        double held = Align(beta: 30).Steps[^1].KlPerSequence;

        Assert.That(held, Is.LessThan(free / 4));
    }

    [Test]
    public void Mixture_has_no_divergence_at_zero_and_more_beyond_one()
    {
        (LlamaParameters<float> reference, LlamaParameters<float> policy, _) = WeaklyHeld.Value;
        int[][] prompts = [.. Enumerable.Repeat(ChatFormat.Prompt(Tokenizer(), "Describe the mill."), 16)];
        MixtureSampler sampler = new(reference, policy, Threads, maxNewTokens: 20);

        double MeanKl(double lambda) => sampler.Sample(prompts, lambda, seed: 9).Average(r => r.KlReference.Average());

        Assert.Multiple(() =>
        {
            Assert.That(MeanKl(0), Is.EqualTo(0).Within(1e-12));
            Assert.That(MeanKl(1), Is.GreaterThan(0));
            Assert.That(MeanKl(2), Is.GreaterThan(MeanKl(1)));
        });
    }

    [Test]
    public void A_sample_does_not_depend_on_its_batch()
    {
        LlamaParameters<float> parameters = Initialized();
        MixtureSampler sampler = new(parameters, parameters, Threads, maxNewTokens: 12);
        int[] prompt = ChatFormat.Prompt(Tokenizer(), "Describe the mill.");
        int[] other = ChatFormat.Prompt(Tokenizer(), "Tell me about the fox in the garden.");

        int[] alone = sampler.Sample([prompt], 1, seed: 8)[0].Tokens;
        int[] together = sampler.Sample([prompt, other, other], 1, seed: 8)[0].Tokens;

        Assert.That(together, Is.EqualTo(alone));
    }

    private static double[] SupervisedLosses()
    {
        List<double> losses = [];
        SupervisedOptions options = new(Steps: 30, SequencesPerStep: 4, PeakLearningRate: 2e-2, Seed: 61);
        new SupervisedFineTuning(Tokenizer(), Threads, options).Train(Initialized(), (_, loss) => losses.Add(loss));
        return [.. losses];
    }

    /// <summary>Aligns an untrained model towards texts with many letters "e": a reward that random text meets often enough to learn from.</summary>
    private static Alignment Align(double beta)
    {
        LlamaParameters<float> reference = Initialized();

        // The output matrix is frozen in this stage: at its initial size no hidden state could say anything with it.
        for (int i = 0; i < reference.LmHead.Value.Length; i++)
            reference.LmHead.Value[i] *= 15;
        LlamaParameters<float> policy = reference.Clone();
        List<PolicyStep> steps = [];
        PolicyOptions options = new(Steps: 16, PromptsPerStep: 4, SamplesPerPrompt: 4, PeakLearningRate: 2e-2, beta, Discount: 0.9, DriftPenalty: 0, Seed: 62, MaxNewTokens: 24);
        BpeTokenizer tokenizer = Tokenizer();
        new PolicyGradient(tokenizer, Threads, options, tokens => tokenizer.Decode(tokens).Count(c => c == 'e')).Train(policy, reference, (_, step) => steps.Add(step));
        return new Alignment(reference, policy, steps);
    }

    private static LlamaParameters<float> Initialized()
    {
        LlamaParameters<float> parameters = new(new LlamaConfig(
            Tokenizer().Tokens.Count, HiddenSize: 32, IntermediateSize: 48, NumLayers: 2, NumHeads: 2, NumKvHeads: 1, MaxPositions: 512));
        parameters.Initialize(new DeterministicRandom(63));
        return parameters;
    }

    private static BpeTokenizer Tokenizer()
    {
        DeterministicRandom random = new(64);
        return BpeTrainer.Train(Enumerable.Range(0, 100).Select(_ => TextSample.Draw(random).Response), 360);
    }

    private sealed record Alignment(LlamaParameters<float> Reference, LlamaParameters<float> Policy, List<PolicyStep> Steps);
}
