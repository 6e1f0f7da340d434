using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.PairTrainer.Figures;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;

namespace DeRa.PairTrainer.Commands;

/// <summary>The commands around `dera sweep` and `dera score`: prompts for them, and the figures of docs/reproduction/ from what they wrote.</summary>
internal static class FigureCommands
{
    private const int BadInput = 2;

    /// <summary>prompts, frontier, accuracy.</summary>
    public static IEnumerable<Command> Create() => [Prompts(), Frontier(), Accuracy()];

    private static Command Prompts()
    {
        Option<FileInfo> output = new("--out") { Description = "File of lines {\"id\", \"prompt\"}.", Required = true };
        Option<int> count = new("--count") { Description = "Prompts.", DefaultValueFactory = _ => 200 };
        Option<ulong> seed = new("--seed") { Description = "Of the draw.", DefaultValueFactory = _ => 401 };
        Command command = new("prompts", "Draws prompts of the text world for `dera sweep --chat`.") { output, count, seed };
        command.SetAction(parsed =>
        {
            DeterministicRandom random = new(parsed.GetValue(seed));
            StringBuilder lines = new();
            for (int i = 0; i < parsed.GetValue(count); i++)
                lines.Append(new JsonObject { ["id"] = $"p{i:D4}", ["prompt"] = random.Pick(Topic.Sample(random).Prompts()) }.ToJsonString()).Append('\n');
            File.WriteAllText(parsed.GetValue(output)!.FullName, lines.ToString());
        });
        return command;
    }

    private static Command Frontier()
    {
        Option<string[]> series = new("--series")
        {
            Description = "NAME=FOLDER of a sweep, or NAME=PREFIX* for a sweep per model, λ following the prefix; the first is what others are compared with.",
            Required = true,
        };
        Option<string> reward = new("--reward") { Description = "Name of the reward in the sweeps.", Required = true };
        Option<string> label = new("--label") { Description = "The reward in words.", Required = true };
        return Report("frontier", "Reward and KL over λ from sweeps, as CSV and SVG.", [series, reward, label], (parsed, title, prefix) =>
            new FrontierReport(
                [.. parsed.GetValue(series)!.Select(form => Series.Read(form, parsed.GetValue(reward)!))], title, parsed.GetValue(label)!).Write(prefix));
    }

    private static Command Accuracy()
    {
        Option<string[]> scores = new("--scores") { Description = "NAME=FILE that `dera score` wrote for preference pairs.", Required = true };
        return Report("accuracy", "Pairwise accuracy over λ, as CSV and SVG.", [scores], (parsed, title, prefix) =>
            new AccuracyReport(title).Write(parsed.GetValue(scores)!, prefix));
    }

    private static Command Report(string name, string description, Option[] options, Action<ParseResult, string, string> write)
    {
        Option<string> title = new("--title") { Description = "Title of the plots.", Required = true };
        Option<string> prefix = new("--out") { Description = "Place and beginning of the files' names.", Required = true };
        Command command = new(name, description) { title, prefix };
        foreach (Option option in options)
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            try
            {
                write(parsed, parsed.GetValue(title)!, parsed.GetValue(prefix)!);
                return 0;
            }
            catch (Exception exception) when (exception is InvalidDataException or IOException or JsonException or FormatException)
            {
                Console.Error.WriteLine(exception.Message);
                return BadInput;
            }
        });
        return command;
    }
}
