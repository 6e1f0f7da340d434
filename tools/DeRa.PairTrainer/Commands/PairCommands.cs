using System.CommandLine;

namespace DeRa.PairTrainer.Commands;

/// <summary>The commands that make the demo pair.</summary>
internal static class PairCommands
{
    private static readonly Option<DirectoryInfo> Output = new("--out")
    {
        Description = "Folder for the pair: reference/, aligned/, README.md, lexicon.txt, prompts.jsonl.",
        DefaultValueFactory = _ => new DirectoryInfo("weights"),
    };

    private static readonly Option<double?> Beta = new("--beta") { Description = "KL strength of the alignment stage; the recipe's own if left out." };

    private static readonly Option<int?> Steps = new("--align-steps") { Description = "Steps of the alignment stage; the recipe's own if left out." };

    /// <summary>One command per stage, and one for all of them.</summary>
    public static IEnumerable<Command> Create() =>
    [
        Stage("all", "Every stage of the demo pair, about ten minutes on two free cores.", t => t.TrainReference(), t => t.TrainAligned(), t => t.Describe()),
        Stage("reference", "Supervised training of the reference model.", t => t.TrainReference()),
        Stage("align", "KL-regularised policy gradient from the reference model in --out.", t => t.TrainAligned()),
        Stage("describe", "Measures the pair in --out; writes model card, lexicon and prompts.", t => t.Describe()),
    ];

    private static Command Stage(string name, string description, params Action<Trainer>[] stages)
    {
        Command command = new(name, description) { Output, Beta, Steps };
        command.SetAction(parsed =>
        {
            Trainer trainer = new(Chosen(parsed), parsed.GetValue(Output)!.FullName, parsed.GetValue(TrainerOptions.Threads), Console.Error);
            foreach (Action<Trainer> stage in stages)
                stage(trainer);
        });
        return command;
    }

    private static Recipe Chosen(ParseResult parsed)
    {
        Recipe recipe = parsed.GetValue(TrainerOptions.Quick) ? Recipe.Quick : Recipe.Demo;
        return recipe with
        {
            Policy = recipe.Policy with { Beta = parsed.GetValue(Beta) ?? recipe.Policy.Beta, Steps = parsed.GetValue(Steps) ?? recipe.Policy.Steps },
        };
    }
}
