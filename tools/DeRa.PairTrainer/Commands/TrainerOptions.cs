using System.CommandLine;

namespace DeRa.PairTrainer.Commands;

/// <summary>Flags that every training command has.</summary>
internal static class TrainerOptions
{
    /// <summary>Threads.</summary>
    public static readonly Option<int> Threads = CreateThreads();

    /// <summary>A check of the path in seconds.</summary>
    public static readonly Option<bool> Quick = new("--quick")
    {
        Description = "A tiny model and a few steps: checks the path, makes nothing useful.",
        Recursive = true,
    };

    private static Option<int> CreateThreads()
    {
        Option<int> threads = new("--threads")
        {
            Description = "Threads; the result does not depend on them.",
            DefaultValueFactory = _ => Math.Min(2, Environment.ProcessorCount),
            Recursive = true,
        };
        threads.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError("--threads: expected at least 1.");
        });
        return threads;
    }
}
