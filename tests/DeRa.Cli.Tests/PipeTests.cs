using System.Diagnostics;

namespace DeRa.Cli.Tests;

/// <summary>The command line as a process between pipes.</summary>
[Platform(Exclude = "Win")]
public sealed class PipeTests
{
    /// <summary>A command whose reader has gone stops, rather than compute for nobody.</summary>
    [Test]
    [CancelAfter(60_000)]
    public async Task A_command_ends_when_its_reader_does(CancellationToken cancellationToken)
    {
        // Without an end, the input ends only with the command.
        (string output, string error) = await ShellAsync("yes 2>/dev/null '\"a\"' | dotnet \"$0\" tokenize | head -n 1; echo ${PIPESTATUS[1]}", cancellationToken);
        Assert.That(output.Split('\n'), Has.Length.EqualTo(3));
        Assert.That(output, Does.StartWith("[").And.EndWith("]\n0\n"));
        Assert.That(error, Is.Empty);
    }

    /// <summary>A pipe that the parent made non-blocking, as Node.js does to its own: what does not fit yet is waited for.</summary>
    [Test]
    [CancelAfter(60_000)]
    public async Task Output_that_a_full_pipe_does_not_take_is_not_lost(CancellationToken cancellationToken)
    {
        if (!File.Exists("/usr/bin/perl"))
        {
            Absent.Skip("no perl, which makes the pipe non-blocking");
            return;
        }

        const string Script = """
            yes 2>/dev/null '"a"' | head -n 20000 |
                perl -MFcntl -e 'fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK); exec @ARGV' dotnet "$0" tokenize |
                { sleep 3; wc -l; }; echo ${PIPESTATUS[2]}
            """;
        (string output, string error) = await ShellAsync(Script, cancellationToken);
        Assert.That(output, Is.EqualTo("20000\n0\n"), error);
        Assert.That(error, Is.Empty);
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task Standard_input_that_is_not_utf8_is_refused_with_its_line(CancellationToken cancellationToken)
    {
        (string output, string error) = await ShellAsync("printf '\\xef\\xbb\\xbf\"a\"\\r\\n\"\\xff\"\\n' | dotnet \"$0\" tokenize; echo $?", cancellationToken);
        Assert.That(output, Does.StartWith("[").And.EndWith("]\n2\n"));
        Assert.That(error, Is.EqualTo("dera: standard input, line 2: expected UTF-8, found byte 0xFF at byte 2 of the line\n"));
    }

    private static async Task<(string Output, string Error)> ShellAsync(string script, CancellationToken cancellationToken)
    {
        string dera = Path.Combine(AppContext.BaseDirectory, "dera.dll");
        using Process shell = Process.Start(new ProcessStartInfo("bash", ["-c", script, dera]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Task<string> output = shell.StandardOutput.ReadToEndAsync(cancellationToken), error = shell.StandardError.ReadToEndAsync(cancellationToken);
            return (await output, await error);
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }
}
