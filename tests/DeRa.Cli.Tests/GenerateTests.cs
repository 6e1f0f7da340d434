using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary>Several λ, samples and prompts of one <c>generate</c> call.</summary>
[NonParallelizable]
public sealed class GenerateTests
{
    private static readonly string[] Common =
    [
        "generate", "--device", "cpu", "--reference", Path.Combine(Golden.Models, "llama_basic", "ref"),
        "--aligned", Path.Combine(Golden.Models, "llama_basic", "aligned"), "--max-tokens", "8", "--ignore-eos", "--seed", "4", "--json",
    ];

    [Test]
    public void Samples_have_a_line_each_within_their_lambda()
    {
        JsonElement[] lines = Dera.Done([.. Common, "--tokens", "5,9,2", "--lambda", "0.5,1", "--samples", "3"]).Lines;
        Assert.That(lines.Select(line => (line.GetProperty("lambda").GetSingle(), line.GetProperty("sample").GetInt32())),
            Is.EqualTo(new[] { (0.5f, 0), (0.5f, 1), (0.5f, 2), (1f, 0), (1f, 1), (1f, 2) }));
        Assert.That(lines.Take(3).Select(line => line.GetProperty("tokens").GetRawText()), Is.Unique);
        JsonElement alone = Dera.Done([.. Common, "--tokens", "5,9,2", "--lambda", "0.5"]).Lines[0];
        Assert.That(alone.GetProperty("tokens").GetRawText(), Is.EqualTo(lines[0].GetProperty("tokens").GetRawText()));
        Assert.That(alone.TryGetProperty("sample", out _), Is.False);
    }

    [Test]
    public void Coupled_noise_is_the_same_under_every_lambda_and_differs_between_prompts()
    {
        // At this temperature the noise alone decides.
        string[] hot = ["--temperature", "1000000", "--lambda", "0,1"];
        string[] plain = Tokens([.. Common, "--prompts", "-", .. hot]), coupled = Tokens([.. Common, "--prompts", "-", .. hot, "--coupled"]);
        Assert.That(plain.Distinct().Count(), Is.EqualTo(1), "prompts of one length share their noise");
        Assert.That(coupled[1], Is.EqualTo(coupled[0]));
        Assert.That(coupled[3], Is.EqualTo(coupled[2]).And.Not.EqualTo(coupled[0]));

        static string[] Tokens(string[] arguments) =>
            [.. Dera.Done(arguments, "{\"tokens\":[1,2,3]}\n{\"tokens\":[4,5,6]}\n").Lines.Select(line => line.GetProperty("tokens").GetRawText())];
    }

    [Test]
    public void Samples_without_lines_of_their_own_are_refused()
    {
        Dera.Outcome outcome = Dera.Run([.. Common.SkipLast(1), "--tokens", "5", "--samples", "2"]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2));
        Assert.That(outcome.Error, Does.Contain("--samples: expected beside --json"));
    }
}
