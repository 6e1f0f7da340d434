using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DeRa.Cli.CommandLine;

namespace DeRa.Cli.Tests;

/// <summary>Runs the command line in this process, as Program does, with its streams in memory.</summary>
internal static class Dera
{
    private static readonly Lock Gate = new();

    public sealed record Outcome(int ExitCode, string Output, string Error)
    {
        public JsonElement[] Lines =>
            [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public static Outcome Run(string[] arguments, string input = "")
    {
        lock (Gate)
        {
            (TextReader reader, TextWriter writer, TextWriter errors) = (Console.In, Console.Out, Console.Error);
            var output = new StringWriter(new StringBuilder());
            var error = new StringWriter(new StringBuilder());
            try
            {
                Console.SetIn(new StringReader(input));
                Console.SetOut(output);
                Console.SetError(error);
                int code = DeraCommand.RunAsync(arguments).GetAwaiter().GetResult();
                return new Outcome(code, output.ToString(), error.ToString());
            }
            finally
            {
                Console.SetIn(reader);
                Console.SetOut(writer);
                Console.SetError(errors);
            }
        }
    }

    /// <summary>Runs and requires success.</summary>
    public static Outcome Done(string[] arguments, string input = "")
    {
        Outcome outcome = Run(arguments, input);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        return outcome;
    }

    /// <summary>Starts the command line as a process of its own, which can be killed.</summary>
    public static Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "dera.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
