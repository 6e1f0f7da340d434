using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;

namespace DeRa.Cli.Commands;

/// <summary>Everything the results of a sweep depend on, for its manifest.</summary>
internal sealed record SweepInputs(PairArguments Pair, string PromptsFile, GenerationRequest Template, IReadOnlyList<IReward> Rewards)
{
    public SweepManifest Manifest(SweepPlan plan, IReadOnlyList<string> devices)
    {
        IReadOnlyList<HashedFile> reference = HashedFile.OfCheckpoint("reference", Pair.ReferenceFolder), aligned = HashedFile.OfCheckpoint("aligned", Pair.AlignedFolder);
        SortedDictionary<string, string> settings = Settings(plan, HashedFile.Together(reference), HashedFile.Together(aligned));
        return new SweepManifest
        {
            Settings = settings,
            Fingerprint = SweepManifest.FingerprintOf(settings),
            Lambdas = plan.Lambdas,
            Samples = plan.Samples,
            Prompts = plan.Prompts.Count,
            Rewards = [.. Rewards.Select(reward => reward.Name)],
            Shard = plan.Shard.ToString(),
            Inputs = [.. reference, .. aligned, .. PromptsFile == InputLines.StandardInput ? [] : new[] { HashedFile.Of("prompts", PromptsFile) }],
            Versions = new Dictionary<string, string>
            {
                ["dera"] = typeof(SweepInputs).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
                ["runtime"] = RuntimeInformation.FrameworkDescription,
                ["system"] = RuntimeInformation.OSDescription,
                ["processor"] = RuntimeInformation.ProcessArchitecture.ToString(),
            },
            Devices = devices,
            Command = ["dera", .. Environment.GetCommandLineArgs().Skip(1)],
            StartedAt = DateTimeOffset.UtcNow,
            FinishedAt = null,
            ResultsSha256 = null,
        };
    }

    private SortedDictionary<string, string> Settings(SweepPlan plan, string reference, string aligned)
    {
        SamplingOptions sampling = Template.Sampling;
        return new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["reference"] = reference,
            ["aligned"] = aligned,
            ["dtype"] = Pair.Device.WeightType?.ToString() ?? "as stored",
            ["prompts"] = HashOf(plan.Prompts),
            ["lambda"] = string.Join(",", plan.Lambdas.Select(lambda => Number(lambda))),
            ["samples"] = Number(plan.Samples),
            ["seed"] = plan.Seed.ToString(CultureInfo.InvariantCulture),
            ["noise"] = plan.Coupled ? "coupled" : "independent",
            ["resample"] = Number(plan.Candidates),
            ["max tokens"] = Number(Template.MaxTokens),
            ["stop"] = string.Join("\0", Template.StopTexts),
            ["ignore eos"] = Template.StopTokens is null ? "no" : "yes",
            ["temperature"] = Number(sampling.Temperature),
            ["top-k"] = Number(sampling.TopK),
            ["top-p"] = Number(sampling.TopP),
            ["min-p"] = Number(sampling.MinP),
            ["repetition penalty"] = Number(sampling.RepetitionPenalty),
            ["presence penalty"] = Number(sampling.PresencePenalty),
            ["frequency penalty"] = Number(sampling.FrequencyPenalty),
            ["logit bias"] = string.Join(",", sampling.LogitBias.OrderBy(entry => entry.Key).Select(entry => $"{Number(entry.Key)}={Number(entry.Value)}")),
            ["rewards"] = string.Join("\0", Rewards.Select(reward => $"{reward.Name} {reward.ContentHash}")),
        };
    }

    private static string HashOf(IReadOnlyList<SweepPrompt> prompts)
    {
        var text = new StringBuilder();
        foreach (SweepPrompt prompt in prompts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{prompt.Id}\0{prompt.Text}\0{prompt.Messages}\0{string.Join(",", prompt.Tokens)}\0{prompt.Seed}\0");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string Number(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
