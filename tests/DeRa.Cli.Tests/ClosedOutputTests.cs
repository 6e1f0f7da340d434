using System.Diagnostics;

namespace DeRa.Cli.Tests;

/// <summary>A command whose reader has gone stops, rather than compute for nobody.</summary>
[Platform(Exclude = "Win")]
public sealed class ClosedOutputTests
{
    [Test]
    [CancelAfter(60_000)]
    public async Task A_command_ends_when_its_reader_does(CancellationToken cancellationToken)
    {
        // Without an end, the input ends only with the command.
        string dera = Path.Combine(AppContext.BaseDirectory, "dera.dll");
        using Process shell = Process.Start(new ProcessStartInfo("bash", ["-c", "yes 2>/dev/null '\"a\"' | dotnet \"$0\" tokenize | head -n 1; echo ${PIPESTATUS[1]}", dera])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            string output = await shell.StandardOutput.ReadToEndAsync(cancellationToken);
            Assert.That(output.Split('\n'), Has.Length.EqualTo(3));
            Assert.That(output, Does.StartWith("[").And.EndWith("]\n0\n"));
            Assert.That(await shell.StandardError.ReadToEndAsync(cancellationToken), Is.Empty);
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }
}
