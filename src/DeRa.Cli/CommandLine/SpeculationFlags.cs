using System.CommandLine;
using System.Globalization;
using DeRa.Engine;

namespace DeRa.Cli.CommandLine;

/// <summary>The flags that let the models draft tokens for each other.</summary>
internal sealed class SpeculationFlags
{
    private readonly Option<string> rule = new("--speculate") { Description = "off, coupled (the same tokens, sooner) or ratio (the same law, sooner still)", DefaultValueFactory = _ => "off" };
    private readonly Option<int?> drafts = new("--drafts") { Description = "With --speculate: the reference drafts N tokens per pass of the aligned model (default: the models draft in turn)", HelpName = "N" };

    public SpeculationFlags() => rule.AcceptOnlyFromAmong("off", "coupled", "ratio");

    public void AddTo(Command command)
    {
        command.Options.Add(rule);
        command.Options.Add(drafts);
    }

    public SpeculationOptions Read(ParseResult parsed)
    {
        string chosen = parsed.GetValue(rule)!;
        int? ahead = parsed.GetValue(drafts);
        if (ahead is not null && chosen == "off")
        {
            throw new InputException($"--drafts {ahead}: expected beside --speculate coupled or ratio");
        }

        if (ahead is < 1 or > SpeculationOptions.MostDrafts)
        {
            throw new InputException($"--drafts {ahead}: expected 1 to {SpeculationOptions.MostDrafts}");
        }

        return new SpeculationOptions
        {
            Mode = chosen == "off" ? SpeculationMode.Off : ahead is null ? SpeculationMode.Alternating : SpeculationMode.OneSided,
            Rule = chosen == "ratio" ? SpeculationRule.Ratio : SpeculationRule.Coupled,
            Drafts = ahead ?? 1,
        };
    }

    /// <summary>Says on standard error what came of it; nothing where no step speculated.</summary>
    public static void Report(RealignmentEngine engine)
    {
        SpeculationStatistics done = engine.Speculation;
        if (done.Drafted > 0 && done.Tokens > 0)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"speculation: {100 * done.Acceptance:F1} % of {done.Drafted} drafts stood, {done.PassesPerToken:F2} model passes per token in place of 2"));
        }
    }
}
