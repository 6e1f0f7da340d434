using System.Diagnostics;
using System.Text;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Export;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer;

/// <summary>The stages from nothing to a pair in a folder; each one can be run alone on what the ones before it left there.</summary>
internal sealed class Trainer
{
    private const int ReportEvery = 25;

    private readonly Recipe recipe;
    private readonly string output;
    private readonly Workers workers;
    private readonly TextWriter log;
    private readonly BpeTokenizer tokenizer;
    private readonly LlamaConfig config;

    /// <summary>Prepares a run; the tokenizer is trained here, since it takes a second and always comes out the same.</summary>
    public Trainer(Recipe recipe, string output, int threads, TextWriter log)
    {
        this.recipe = recipe;
        this.output = output;
        this.log = log;
        workers = new Workers(threads);
        tokenizer = TrainTokenizer(recipe);
        config = recipe.ModelConfig(tokenizer);
    }

    private string ReferenceFolder => Path.Combine(output, "reference");

    private string AlignedFolder => Path.Combine(output, "aligned");

    /// <summary>Learns the recipe's tokenizer from texts of the text world.</summary>
    public static BpeTokenizer TrainTokenizer(Recipe recipe)
    {
        DeterministicRandom random = new(recipe.CorpusSeed);
        IEnumerable<string> texts = Enumerable.Range(0, recipe.CorpusSamples)
            .Select(_ => TextSample.Draw(random))
            .SelectMany(sample => new[] { sample.Prompt, sample.Response, " " + sample.Response });
        return BpeTrainer.Train(texts, recipe.VocabularySize);
    }

    /// <summary>Trains the reference model and writes its folder.</summary>
    public void TrainReference()
    {
        LlamaParameters<float> parameters = new(config);
        parameters.Initialize(new DeterministicRandom(recipe.InitializationSeed));
        Log($"reference: {parameters.All.Sum(p => p.Value.Length):N0} parameters, vocabulary {config.VocabSize}");
        Stopwatch watch = Stopwatch.StartNew();
        new SupervisedFineTuning(tokenizer, workers, recipe.Supervised).Train(parameters, (step, loss) =>
        {
            if (IsReported(step, recipe.Supervised.Steps))
                Log($"sft {step + 1}/{recipe.Supervised.Steps} loss {loss:F4} {watch.Elapsed.TotalSeconds:F0}s");
        });
        Save(ReferenceFolder, parameters);
    }

    /// <summary>Trains the aligned model from the reference and writes its folder.</summary>
    public void TrainAligned()
    {
        LlamaParameters<float> reference = CheckpointFolder.Read(ReferenceFolder, config);
        LlamaParameters<float> policy = reference.Clone();
        Stopwatch watch = Stopwatch.StartNew();
        new PolicyGradient(tokenizer, workers, recipe.Policy, tokens => WarmthReward.Score(tokenizer.Decode(tokens))).Train(policy, reference, (step, outcome) =>
        {
            if (IsReported(step, recipe.Policy.Steps))
            {
                double objective = outcome.Objective(recipe.Policy.Beta);
                Log($"align {step + 1}/{recipe.Policy.Steps} reward {outcome.Reward:F2} kl {outcome.KlPerSequence:F2} objective {objective:F2} {watch.Elapsed.TotalSeconds:F0}s");
            }
        });
        Save(AlignedFolder, policy);
    }

    /// <summary>Measures the pair as stored and writes the model card, the lexicon and the prompts.</summary>
    public void Describe()
    {
        LlamaParameters<float> reference = CheckpointFolder.Read(ReferenceFolder, config);
        LlamaParameters<float> aligned = CheckpointFolder.Read(AlignedFolder, config);
        PairMeasurement measurement = new(tokenizer, reference, aligned, workers);
        List<LambdaMeasurement> measured = [];
        foreach (double lambda in new[] { 0, 0.5, 1, 1.5, 2 })
        {
            LambdaMeasurement m = measurement.Measure(lambda, recipe.MeasuredSamples, recipe.MeasurementSeed);
            measured.Add(m);
            Log($"lambda {lambda} reward {m.Reward.Mean:F2} kl {m.KlPerSequence.Mean:F2} quality {m.Quality.Mean:F3} finished {m.Finished.Mean:F3}");
        }

        Showcase showcase = new(tokenizer, reference, aligned, workers);
        WriteText("README.md", ModelCard.Render(recipe, reference, measured, showcase.Sample()));
        WriteText("lexicon.txt", string.Concat(WarmthReward.Lexicon.Select(word => word + "\n")));
        WriteText("prompts.jsonl", DemoPrompts.Jsonl());
    }

    private void Save(string folder, LlamaParameters<float> parameters)
    {
        CheckpointFolder.Write(folder, parameters, tokenizer);
        Log($"wrote {folder}");
    }

    private void WriteText(string name, string text) => File.WriteAllText(Path.Combine(output, name), text, new UTF8Encoding(false));

    private void Log(FormattableString line) => log.WriteLine(FormattableString.Invariant(line));

    private static bool IsReported(int step, int steps) => step == 0 || (step + 1) % ReportEvery == 0 || step + 1 == steps;
}
