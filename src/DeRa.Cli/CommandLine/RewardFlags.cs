using System.CommandLine;
using System.Globalization;
using DeRa.Evaluation;
using DeRa.Tokenization;

namespace DeRa.Cli.CommandLine;

/// <summary>What judges responses.</summary>
internal sealed class RewardFlags
{
    private readonly Option<string[]> reward = new("--reward") { Description = $"{RewardFactory.Forms}; may be given often, the first one comes first in the report", HelpName = "FORM", Required = true };
    private readonly Option<double> timeout = new("--reward-timeout") { Description = "Longest wait for one answer of a command: or one match of a regex:", HelpName = "SECONDS", DefaultValueFactory = _ => 60 };

    public void AddTo(Command command)
    {
        command.Options.Add(reward);
        command.Options.Add(timeout);
    }

    public Task<IReadOnlyList<IReward>> CreateAsync(ParseResult parsed, string device, Tokenizer? pairTokenizer)
    {
        double seconds = parsed.GetValue(timeout);
        return seconds is > 0 and <= 86_400
            ? new RewardFactory(TimeSpan.FromSeconds(seconds), device, pairTokenizer).CreateAllAsync(parsed.GetValue(reward)!)
            : throw new InputException(string.Create(CultureInfo.InvariantCulture, $"--reward-timeout: expected more than 0 and at most 86400 seconds, found {seconds}"));
    }
}
