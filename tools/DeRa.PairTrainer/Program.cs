using System.CommandLine;
using DeRa.PairTrainer;

Option<DirectoryInfo> output = new("--out")
{
    Description = "Folder for the pair: reference/, aligned/, README.md, lexicon.txt, prompts.jsonl.",
    DefaultValueFactory = _ => new DirectoryInfo("weights"),
    Recursive = true,
};
Option<bool> quick = new("--quick") { Description = "A tiny model and a few steps: checks the path, makes nothing useful.", Recursive = true };
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

Option<double?> beta = new("--beta") { Description = "KL strength of the alignment stage; the recipe's own if left out.", Recursive = true };
Option<int?> steps = new("--align-steps") { Description = "Steps of the alignment stage; the recipe's own if left out.", Recursive = true };

Recipe Chosen(ParseResult parsed)
{
    Recipe recipe = parsed.GetValue(quick) ? Recipe.Quick : Recipe.Demo;
    return recipe with
    {
        Policy = recipe.Policy with { Beta = parsed.GetValue(beta) ?? recipe.Policy.Beta, Steps = parsed.GetValue(steps) ?? recipe.Policy.Steps },
    };
}

Command Stage(string name, string description, params Action<Trainer>[] stages)
{
    Command command = new(name, description);
    command.SetAction(parsed =>
    {
        Trainer trainer = new(Chosen(parsed), parsed.GetValue(output)!.FullName, parsed.GetValue(threads), Console.Error);
        foreach (Action<Trainer> stage in stages)
            stage(trainer);
    });
    return command;
}

RootCommand root = new("Trains the demo pair: a reference model on a text world of our own, and an aligned model from it.");
root.Options.Add(output);
root.Options.Add(quick);
root.Options.Add(threads);
root.Options.Add(beta);
root.Options.Add(steps);
root.Subcommands.Add(Stage("all", "Every stage, about ten minutes on two free cores.", t => t.TrainReference(), t => t.TrainAligned(), t => t.Describe()));
root.Subcommands.Add(Stage("reference", "Supervised training of the reference model.", t => t.TrainReference()));
root.Subcommands.Add(Stage("align", "KL-regularised policy gradient from the reference model in --out.", t => t.TrainAligned()));
root.Subcommands.Add(Stage("describe", "Measures the pair in --out; writes model card, lexicon and prompts.", t => t.Describe()));
return root.Parse(args).Invoke();
