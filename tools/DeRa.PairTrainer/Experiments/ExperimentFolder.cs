using System.Diagnostics;
using System.Globalization;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Export;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Experiments;

/// <summary>
/// The models of one experiment in one folder. A model is there or it is not: it is written beside its place and moved there when it is whole,
/// so an experiment that was cut off goes on with the models it lacks.
/// </summary>
internal sealed class ExperimentFolder
{
    private const int ReportEvery = 25;

    /// <summary>0 to 2 by 0.2.</summary>
    public static readonly double[] Lambdas = [.. Enumerable.Range(0, 11).Select(i => i / 5.0)];

    private const string ReferenceName = "reference";

    private readonly string root;
    private readonly string? only;
    private readonly string folder;
    private readonly TextWriter log;

    /// <summary>Opens or creates the folder, and trains the reference model if it is not there.</summary>
    /// <param name="recipe">Recipe of the reference model.</param>
    /// <param name="root">Holds the reference model, which all experiments share, and a folder for each experiment.</param>
    /// <param name="experiment">Name of the experiment's folder.</param>
    /// <param name="threads">Threads; results do not depend on them.</param>
    /// <param name="log">Progress.</param>
    /// <param name="only">The one model to train, so that the models of an experiment can be trained side by side; null trains all.</param>
    public ExperimentFolder(Recipe recipe, string root, string experiment, int threads, TextWriter log, string? only = null)
    {
        this.root = root;
        this.only = only;
        this.log = log;
        folder = Path.Combine(root, experiment);
        Directory.CreateDirectory(folder);
        Workers = new Workers(threads);
        Tokenizer = Trainer.TrainTokenizer(recipe);
        Config = recipe.ModelConfig(Tokenizer);
        Reference = ReadOrTrainReference(recipe);
    }

    /// <summary>Threads.</summary>
    public Workers Workers { get; }

    /// <summary>The tokenizer of all models.</summary>
    public BpeTokenizer Tokenizer { get; }

    /// <summary>The sizes of all models.</summary>
    public LlamaConfig Config { get; }

    /// <summary>The reference model, as stored.</summary>
    public LlamaParameters<float> Reference { get; }

    /// <summary>Whether any model was trained or found: false when the one asked for is not in the experiment.</summary>
    public bool HasTrained { get; private set; }

    /// <summary>Reads one of the experiment's models.</summary>
    public LlamaParameters<float> Read(string name) => CheckpointFolder.Read(Place(name), Config);

    /// <summary>Whether a model is there.</summary>
    public bool Has(string name) => Directory.Exists(Place(name));

    /// <summary>Writes a model whole or not at all.</summary>
    public void Write(string name, LlamaParameters<float> parameters) => WriteModel(Place(name), parameters);

    /// <summary>
    /// Writes "interpolated-λ" with weights (1 − λ)·θ_r + λ·θ_a for the λ of the reports, "aligned" being θ_a. Embedding and output matrix are those of both models.
    /// </summary>
    public void WriteInterpolations()
    {
        if (!Has("aligned"))
            return;
        foreach (double lambda in Lambdas.Where(lambda => lambda is not 0 and not 1))
        {
            string name = FormattableString.Invariant($"interpolated-{lambda}");
            if (!Has(name))
                Write(name, WeightInterpolation.Between(Reference, Read("aligned"), lambda));
        }
    }

    /// <summary>Writes a text file of the experiment.</summary>
    public void WriteText(string name, string text) => File.WriteAllText(Place(name), text);

    /// <summary>Reads a text file that the experiments under the root share; null where there is none.</summary>
    public string? ReadShared(string name) => File.Exists(Path.Combine(root, name)) ? File.ReadAllText(Path.Combine(root, name)) : null;

    /// <summary>Writes a text file for all experiments under the root, whole or not at all.</summary>
    public void WriteShared(string name, string text)
    {
        string unfinished = Path.Combine(root, $"{name}.{Environment.ProcessId}");
        File.WriteAllText(unfinished, text);
        File.Move(unfinished, Path.Combine(root, name), overwrite: true);
    }

    /// <summary>Trains a model from a copy of the reference, unless it is there, and keeps the training curve in NAME.csv.</summary>
    /// <param name="name">Name of the model's folder.</param>
    /// <param name="columns">Names of the figures that training reports.</param>
    /// <param name="train">Trains its first argument in place and reports (step, steps, figures) to its second.</param>
    public void Train(string name, string columns, Action<LlamaParameters<float>, Action<int, int, double[]>> train)
    {
        if (only is not null && name != only)
            return;
        HasTrained = true;
        if (Has(name))
        {
            Log($"{name} is there already");
            return;
        }

        LlamaParameters<float> policy = Reference.Clone();
        Stopwatch watch = Stopwatch.StartNew();
        using StringWriter curve = new(CultureInfo.InvariantCulture);
        curve.Write($"step,{columns}\n");
        train(policy, (step, steps, figures) =>
        {
            string row = string.Join(',', figures.Select(figure => figure.ToString("G6", CultureInfo.InvariantCulture)));
            curve.Write(FormattableString.Invariant($"{step + 1},{row}\n"));
            if (IsReported(step, steps))
                Log($"{name} {step + 1}/{steps} {columns} {row} {watch.Elapsed.TotalSeconds:F0}s");
        });
        WriteText(name + ".csv", curve.ToString());
        Write(name, policy);
    }

    private LlamaParameters<float> ReadOrTrainReference(Recipe recipe)
    {
        string place = Path.Combine(root, ReferenceName);
        if (!Directory.Exists(place))
        {
            LlamaParameters<float> parameters = new(Config);
            parameters.Initialize(new DeterministicRandom(recipe.InitializationSeed));
            Log($"{ReferenceName}: {parameters.All.Sum(p => p.Value.Length):N0} parameters, vocabulary {Config.VocabSize}");
            Stopwatch watch = Stopwatch.StartNew();
            new SupervisedFineTuning(Tokenizer, Workers, recipe.Supervised).Train(parameters, (step, loss) =>
            {
                if (IsReported(step, recipe.Supervised.Steps))
                    Log($"{ReferenceName} {step + 1}/{recipe.Supervised.Steps} loss {loss:F4} {watch.Elapsed.TotalSeconds:F0}s");
            });
            WriteModel(place, parameters);
        }

        // What is stored is rounded to BF16: read it back, so that a run that trains the reference goes on as one that finds it.
        return CheckpointFolder.Read(place, Config);
    }

    private void WriteModel(string place, LlamaParameters<float> parameters)
    {
        string unfinished = place + ".unfinished";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        CheckpointFolder.Write(unfinished, parameters, Tokenizer);
        Directory.Move(unfinished, place);
        Log($"wrote {place}");
    }

    private string Place(string name) => Path.Combine(folder, name);

    private void Log(FormattableString line) => log.WriteLine(FormattableString.Invariant(line));

    private static bool IsReported(int step, int steps) => step == 0 || (step + 1) % ReportEvery == 0 || step + 1 == steps;
}
