using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Experiments;
using DeRa.PairTrainer.Export;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Tests;

/// <summary>A few real steps of every experiment, at the size of --quick; one root folder and one reference model for all.</summary>
public class ExperimentTests
{
    private static readonly string Root = Path.Combine(TestContext.CurrentContext.WorkDirectory, "quick-experiments");

    [OneTimeSetUp]
    [OneTimeTearDown]
    public void StartAfresh()
    {
        if (Directory.Exists(Root))
            Directory.Delete(Root, recursive: true);
    }

    [Test]
    public void Length_experiment_trains_a_model_per_beta_and_keeps_what_is_there()
    {
        ExperimentFolder folder = Open("length");
        LengthExperiment.Run(folder, LengthOptions.Quick);
        string[] models = ["aligned", "retrained-0.4", "retrained-2"];
        Dictionary<string, byte[]> first = models.ToDictionary(name => name, name => Weights("length", name));
        File.WriteAllText(Path.Combine(Root, "length", "aligned", "mark"), string.Empty);
        Directory.Delete(Path.Combine(Root, "length", "retrained-2"), recursive: true);
        LengthExperiment.Run(Open("length"), LengthOptions.Quick);

        Assert.Multiple(() =>
        {
            Assert.That(first.Values.Select(Convert.ToHexString).Distinct().Count(), Is.EqualTo(3));
            Assert.That(Path.Combine(Root, "length", "aligned", "mark"), Does.Exist, "a model that was there was trained again");
            Assert.That(Weights("length", "retrained-2"), Is.EqualTo(first["retrained-2"]), "the same run gives the same bits");
            Assert.That(File.ReadAllLines(Path.Combine(Root, "length", "aligned.csv")), Has.Length.EqualTo(3));
        });
    }

    [Test]
    public void Interpolated_models_lie_between_and_beyond_and_share_what_the_pair_shares()
    {
        ExperimentFolder folder = Open("length");
        LengthExperiment.Run(folder, LengthOptions.Quick);
        LlamaParameters<float> aligned = folder.Read("aligned"), half = folder.Read("interpolated-0.4"), beyond = folder.Read("interpolated-2");

        Assert.That(half.LmHead.Value, Is.EqualTo(folder.Reference.LmHead.Value));
        Assert.That(folder.Has("interpolated-1"), Is.False);
        float[] r = folder.Reference.Layers[0].OProj.Value, a = aligned.Layers[0].OProj.Value;
        for (int i = 0; i < r.Length; i++)
        {
            Assert.That(half.Layers[0].OProj.Value[i], Is.EqualTo(Stored(0.6 * r[i] + 0.4 * a[i])));
            Assert.That(beyond.Layers[0].OProj.Value[i], Is.EqualTo(Stored(2.0 * a[i] - r[i])));
        }
    }

    [Test]
    public void Preference_experiments_train_and_keep_the_references_that_moved()
    {
        PreferenceExperiment.RunDpo(Open("dpo"), PreferenceExperimentOptions.Quick);
        PreferenceExperiment.RunTrustRegion(Open("tr-dpo"), PreferenceExperimentOptions.Quick);
        PrivateExperiment.Run(Open("private"), PrivateExperimentOptions.Quick);

        byte[] reference = File.ReadAllBytes(Path.Combine(Root, "reference", "model.safetensors"));
        string[] lines = File.ReadAllLines(Path.Combine(Root, "dpo", "held-out.jsonl"));
        Assert.Multiple(() =>
        {
            Assert.That(Weights("dpo", "aligned"), Is.Not.EqualTo(reference));
            Assert.That(Weights("tr-dpo", "soft-reference"), Is.Not.EqualTo(reference));
            Assert.That(Weights("tr-dpo", "hard-reference"), Is.Not.EqualTo(reference).And.Not.EqualTo(Weights("tr-dpo", "hard")));
            Assert.That(Weights("private", "epsilon-8"), Is.Not.EqualTo(Weights("private", "epsilon-none")));
            Assert.That(File.ReadAllLines(Path.Combine(Root, "private", "budgets.csv")), Has.Length.EqualTo(3));
            Assert.That(lines, Has.Length.EqualTo(2));
            Assert.That(lines[0], Does.StartWith("{\"prompt\":\"<|user|>").And.Contain("<|end|><|assistant|>\",\"chosen\":\""));
        });
    }

    [Test]
    public void Preferred_answers_are_mostly_the_warmer_ones_and_never_equally_warm()
    {
        PreferenceData data = new(Open("length"));
        PreferencePair[] pairs = data.Draw(60, seed: 5);

        // σ(1) = 0.73 is the least that Bradley and Terry's judge agrees with the count; 60 pairs have a standard error of 0.06.
        Assert.That(data.Ceiling(pairs), Is.InRange(0.55, 0.999));
        Assert.That(data.Draw(60, seed: 5).Select(p => string.Join(',', p.Chosen)), Is.EqualTo(pairs.Select(p => string.Join(',', p.Chosen))));
    }

    [Test]
    public void One_model_can_be_asked_for_and_another_name_trains_nothing()
    {
        ExperimentFolder one = Open("alone", "retrained-2"), none = Open("alone", "retrained-3");
        LengthExperiment.Run(none, LengthOptions.Quick);
        LengthExperiment.Run(one, LengthOptions.Quick);

        Assert.Multiple(() =>
        {
            Assert.That(none.HasTrained, Is.False);
            Assert.That(one.HasTrained, Is.True);
            Assert.That(Directory.GetDirectories(Path.Combine(Root, "alone")).Select(Path.GetFileName), Is.EqualTo(new[] { "retrained-2" }));
        });
    }

    [TestCase(39, -1)]
    [TestCase(40, 0)]
    [TestCase(50, 0)]
    [TestCase(51, -1)]
    [TestCase(0, -1)]
    public void Length_reward_does_not_count_the_end_token(int length, double expected)
    {
        int[] cut = [.. Enumerable.Repeat(9, length)];
        Assert.That(LengthReward.Score(cut), Is.EqualTo(expected));
        Assert.That(LengthReward.Score([.. cut, SpecialTokens.EndId]), Is.EqualTo(expected));
    }

    [Test]
    public void Preference_optimisation_learns_the_pairs_it_is_given()
    {
        ExperimentFolder folder = Open("length");
        PreferencePair[] pairs = new PreferenceData(folder).Draw(8, seed: 6);
        LlamaParameters<float> policy = folder.Reference.Clone();
        List<PreferenceStep> steps = [];
        PreferenceOptions options = new(Steps: 12, PairsPerStep: 8, PeakLearningRate: 3e-3, Beta: 0.5, Seed: 7, ReferenceUpdate.None);
        LlamaParameters<float> last = new PreferenceOptimization(folder.Workers, options).Train(policy, folder.Reference, pairs, (_, step) => steps.Add(step));

        Assert.Multiple(() =>
        {
            Assert.That(last, Is.SameAs(folder.Reference));
            Assert.That(steps[0].Loss, Is.EqualTo(Math.Log(2)).Within(1e-5));
            Assert.That(steps[^1].Loss, Is.LessThan(steps[0].Loss / 2));
            Assert.That(policy.EmbedTokens.Value, Is.EqualTo(folder.Reference.EmbedTokens.Value));
        });
    }

    private static ExperimentFolder Open(string experiment, string? only = null) =>
        new(Recipe.Quick, Root, experiment, threads: 2, TextWriter.Null, only);

    private static byte[] Weights(string experiment, string model) => File.ReadAllBytes(Path.Combine(Root, experiment, model, "model.safetensors"));

    private static float Stored(double value) => BFloat16.ToSingle(BFloat16.FromSingle((float)value));
}
