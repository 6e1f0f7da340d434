using System.CommandLine;
using System.Globalization;
using DeRa.Evaluation;

namespace DeRa.Cli.CommandLine;

/// <summary>How results are summed up.</summary>
internal sealed class AnalysisFlags
{
    private readonly Option<double?> beta = new("--beta") { Description = "KL strength the aligned model was trained with; adds β/λ", HelpName = "X" };
    private readonly Option<double?> klBudget = new("--kl-budget") { Description = "Largest mean KL from the reference, in nats a response, that a recommended λ may have", HelpName = "X" };
    private readonly Option<double> confidence = new("--confidence") { Description = "Coverage of intervals", HelpName = "X", DefaultValueFactory = _ => 0.95 };
    private readonly Option<int> bootstrap = new("--bootstrap") { Description = "Resamples of the bootstrap over prompts", HelpName = "N", DefaultValueFactory = _ => PairedBootstrap.DefaultResamples };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[beta, klBudget, confidence, bootstrap])
        {
            command.Options.Add(option);
        }
    }

    public AnalysisOptions Read(ParseResult parsed)
    {
        double? strength = parsed.GetValue(beta), budget = parsed.GetValue(klBudget);
        Require(strength is null or > 0 and < double.PositiveInfinity, "--beta", "a number above 0", strength);
        Require(budget is null or >= 0 and < double.PositiveInfinity, "--kl-budget", "a number of at least 0", budget);
        double share = parsed.GetValue(confidence);
        Require(share is >= 0.5 and <= 0.999, "--confidence", "a share between 0.5 and 0.999", share);
        int resamples = parsed.GetValue(bootstrap);
        Require(resamples is >= 100 and <= 1_000_000, "--bootstrap", "100 to 1000000 resamples", resamples);
        return new AnalysisOptions { Beta = strength, KlBudget = budget, Confidence = share, Resamples = resamples };
    }

    private static void Require(bool met, string flag, string expected, IFormattable? found)
    {
        if (!met)
        {
            throw new InputException($"{flag}: expected {expected}, found {found?.ToString(null, CultureInfo.InvariantCulture)}");
        }
    }
}
