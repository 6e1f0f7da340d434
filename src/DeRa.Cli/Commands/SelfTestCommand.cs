using System.CommandLine;
using System.Globalization;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Kernels;
using DeRa.Kernels.Verification;
using Spectre.Console;

namespace DeRa.Cli.Commands;

/// <summary><c>dera selftest</c>: every kernel of a device against float64 references.</summary>
internal sealed class SelfTestCommand
{
    private readonly Option<string> device = DeviceFlags.CreateDevice();
    private readonly Option<bool> json = new("--json") { Description = "One JSON line per check, and per finding about the device" };

    public static Command Create()
    {
        var command = new Command("selftest", "Check every kernel of a device against float64 references");
        var flags = new SelfTestCommand();
        command.Options.Add(flags.device);
        command.Options.Add(flags.json);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using KernelSet kernels = DeviceCatalog.Open(parsed.GetValue(device)!, line => Console.Error.WriteLine(line));
        var results = new List<SelfTestResult>();
        foreach (SelfTestResult result in SelfTest.Run(kernels))
        {
            cancellationToken.ThrowIfCancellationRequested();
            results.Add(result);
            if (parsed.GetValue(json))
            {
                Json.WriteLine(result);
            }
        }

        if (parsed.GetValue(json))
        {
            foreach (string finding in kernels.Findings)
            {
                Json.WriteLine(new FindingLine(finding));
            }
        }
        else
        {
            Show(kernels, results);
        }

        return Task.FromResult(results.TrueForAll(result => result.Passed) ? ExitCode.Done : ExitCode.Failed);
    }

    private static void Show(KernelSet kernels, List<SelfTestResult> results)
    {
        DeviceDescription device = kernels.Device;
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("Operation", "Checks", "Worst error", "of its tolerance", "");
        foreach (IGrouping<string, SelfTestResult> operation in results.GroupBy(result => result.Operation))
        {
            SelfTestResult worst = operation.MaxBy(Share)!;
            bool passed = operation.All(result => result.Passed);
            table.AddRow(
                new Text(operation.Key),
                new Text(operation.Count().ToString(CultureInfo.InvariantCulture)),
                new Text(worst.WorstError.ToString("E1", CultureInfo.InvariantCulture)),
                new Text(Share(worst).ToString("P0", CultureInfo.InvariantCulture)),
                new Text(passed ? "PASS" : "FAIL", new Style(passed ? Color.Green : Color.Red)));
        }

        Terminal.Write(table);
        foreach (SelfTestResult failed in results.Where(result => !result.Passed))
        {
            Console.Out.WriteLine($"FAIL {failed.Operation}, {failed.Case}: {failed.Message}");
        }

        foreach (string finding in kernels.Findings)
        {
            Console.Out.WriteLine(finding);
        }

        int failures = results.Count(result => !result.Passed);
        Console.Out.WriteLine($"{device.Id} ({device.Name}): {results.Count - failures} of {results.Count} checks passed");
    }

    /// <summary>A line of <see cref="KernelSet.Findings"/>.</summary>
    private sealed record FindingLine(string Finding);

    private static double Share(SelfTestResult result) => result.Tolerance > 0 ? result.WorstError / result.Tolerance : 0;
}
