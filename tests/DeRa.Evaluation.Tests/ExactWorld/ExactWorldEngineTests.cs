using DeRa.Engine;

namespace DeRa.Evaluation.Tests.ExactWorld;

/// <summary>
/// The same statements with checkpoints, kernels and scheduler: the reference is the world's table, the aligned model is its optimum for β, and what
/// the engine says and draws at λ is held against π*(β/λ), in closed form.
/// </summary>
public sealed class ExactWorldEngineTests
{
    private const double Beta = 0.4;

    /// <summary>
    /// A text has at most nine steps. A step's log-probability comes from float32 logits below 10 (half a unit in the last place: 5e-7), from the norm's
    /// scale (1e-7 of a logit) and from a float32 sum of exponentials (1e-6): below 3e-6 a step.
    /// </summary>
    private const double Rounding = 9 * 3e-6;

    private static readonly float[] Lambdas = [0, 0.25f, 0.5f, 1, 1.5f, 2];

    private readonly IncreasingWorld world = new(seed: 3);
    private TableCheckpoint reference = null!;
    private TableCheckpoint aligned = null!;

    [OneTimeSetUp]
    public void WriteCheckpoints()
    {
        reference = new TableCheckpoint(world.ReferenceSteps);
        aligned = new TableCheckpoint(world.Steps(world.Optimum(Beta)));
    }

    [OneTimeTearDown]
    public void RemoveCheckpoints()
    {
        reference.Dispose();
        aligned.Dispose();
    }

    [Test]
    public async Task Scores_give_the_closed_form_for_every_text_and_lambda()
    {
        IReadOnlyList<LambdaScore>[] scores = await Score(world.Texts, Lambdas);
        double[] optimum = world.Optimum(Beta);
        for (int l = 0; l < Lambdas.Length; l++)
        {
            float lambda = Lambdas[l];
            double[] decoded = [.. scores.Select(score => score[l].LogLikelihood)];
            double[] gaps = [.. scores.Select(score => score[l].SequenceGap)];
            Assert.That(decoded.Sum(Math.Exp), Is.EqualTo(1).Within(Rounding), $"λ = {lambda}: the texts are all there is");
            double[] geometric = [.. world.Reference.Zip(optimum, (r, a) => ((1 - lambda) * r) + (lambda * a))];
            Assert.That(decoded.Zip(gaps, (log, gap) => log + gap), Is.EqualTo(geometric).Within(Rounding), $"λ = {lambda}: log p_λ + ΣA");

            double[] corrected = IncreasingWorld.Normalized([.. decoded.Zip(gaps, (log, gap) => log + gap)]);
            Assert.That(corrected, Is.EqualTo(Retrained(lambda)).Within(2 * Rounding), $"λ = {lambda}: π*(β/λ)");
        }
    }

    [TestCase(0.5f)]
    [TestCase(2)]
    public async Task Samples_follow_the_mixture_token_by_token(float lambda)
    {
        (double[,] steps, _) = IncreasingWorld.Mixture(world.ReferenceSteps, world.Steps(world.Optimum(Beta)), lambda);
        double[] decoded = [.. world.Texts.Select(text => Math.Exp(IncreasingWorld.Sum(steps, text)))];
        Assert.That(ChiSquare.StandardScore(Count(await Sample(lambda, 4000)), decoded), Is.LessThan(4));
    }

    /// <summary>
    /// As many samples with and without resampling: p_λ is far from π*(β/λ) here, a total variation of 0.28. Resampling among K leaves about 1/K of that, which
    /// this number of samples cannot tell from nothing.
    /// </summary>
    [Test]
    public async Task Resampling_with_the_weights_closes_the_gap()
    {
        const float Lambda = 2;
        double[] optimum = [.. Retrained(Lambda).Select(Math.Exp)];
        await using RealignmentEngine engine = await Load();
        DrawnSample[] plain = await Draw(engine, Lambda, candidates: 1), resampled = await Draw(engine, Lambda, candidates: 16);

        Assert.That(ChiSquare.StandardScore(Count([.. plain.Select(sample => sample.Tokens.ToArray())]), optimum), Is.GreaterThan(8));
        Assert.That(ChiSquare.StandardScore(Count([.. resampled.Select(sample => sample.Tokens.ToArray())]), optimum), Is.LessThan(4));
        Assert.That(resampled.Select(sample => sample.EffectiveSampleSize!.Value), Is.All.InRange(1.0, 16.0));
    }

    private static async Task<DrawnSample[]> Draw(RealignmentEngine engine, float lambda, int candidates)
    {
        var prompt = new SweepPrompt(0, "begin", string.Empty, [IncreasingWorld.Begin]);
        var plan = new SweepPlan([prompt], [lambda], samples: 600, seed: 7, candidates: candidates);
        var source = new EngineSampleSource(engine, new GenerationRequest { PromptTokens = prompt.Tokens, MaxTokens = 9 });
        return await Task.WhenAll(plan.UnitsOf(prompt).Select(unit => source.DrawAsync(plan, unit, CancellationToken.None)));
    }

    private double[] Retrained(float lambda) => lambda == 0 ? world.Reference : world.Optimum(Beta / lambda);

    private Task<RealignmentEngine> Load() =>
        RealignmentEngine.LoadAsync(new EngineOptions { ReferenceFolder = reference.Path, AlignedFolder = aligned.Path, Device = "cpu" });

    private async Task<IReadOnlyList<LambdaScore>[]> Score(IEnumerable<int[]> texts, float[] lambdas)
    {
        await using RealignmentEngine engine = await Load();
        var scores = new List<IReadOnlyList<LambdaScore>>();
        await foreach (IReadOnlyList<LambdaScore> score in new Scorer(engine).ScoreAsync(texts.Select(text => new ScoreRequest { Tokens = text, Lambdas = lambdas })))
            scores.Add(score);
        return [.. scores];
    }

    /// <summary>Draws texts from the engine, begin token left out.</summary>
    private async Task<int[][]> Sample(float lambda, int samples)
    {
        await using RealignmentEngine engine = await Load();
        GenerationResult[] results = await Task.WhenAll(Enumerable.Range(0, samples).Select(i => engine.CompleteAsync(new GenerationRequest
        {
            PromptTokens = [IncreasingWorld.Begin],
            Lambda = lambda,
            MaxTokens = 9,
            Sampling = new SamplingOptions { Seed = 5, Stream = (uint)i },
        })));
        return [.. results.Select(result => result.Tokens.ToArray())];
    }

    /// <summary>How often each text of the world is among the samples.</summary>
    private int[] Count(int[][] samples)
    {
        Dictionary<string, int> index = world.Texts.Select((text, i) => (Key: string.Join(',', text[1..]), i)).ToDictionary(pair => pair.Key, pair => pair.i);
        var counts = new int[world.Texts.Length];
        foreach (int[] sample in samples) counts[index[string.Join(',', sample)]]++;
        return counts;
    }
}
