using System.CommandLine;
using System.Globalization;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Kernels;
using Spectre.Console;

namespace DeRa.Cli.Commands;

/// <summary><c>dera devices</c>: what was found, what would be chosen, why others were not.</summary>
internal sealed class DevicesCommand
{
    private readonly Option<bool> json = new("--json") { Description = "One JSON line per device" };

    public static Command Create()
    {
        var command = new Command("devices", "List devices, the one that auto chooses, and why others are not chosen");
        var flags = new DevicesCommand();
        command.Options.Add(flags.json);
        command.SetAction(flags.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        IReadOnlyList<DeviceCandidate> candidates = DeviceCatalog.List();
        if (parsed.GetValue(json))
        {
            foreach (DeviceCandidate candidate in candidates)
            {
                DeviceDescription device = candidate.Description;
                Json.WriteLine(new
                {
                    device = device.Id,
                    device.Name,
                    device.Detail,
                    device.MemoryBytes,
                    usable = candidate.IsUsable,
                    chosen = candidate.IsAutoChoice,
                    candidate.Reason,
                    device.Kernels,
                });
            }
        }
        else
        {
            Table table = new Table().Border(TableBorder.Rounded).AddColumns("Device", "Name", "Memory", "Detail", "Kernels", "auto");
            foreach (DeviceCandidate candidate in candidates)
            {
                DeviceDescription device = candidate.Description;
                table.AddRow(new Text(device.Id), new Text(device.Name), new Text(Size(device.MemoryBytes)), new Text(device.Detail), new Text(device.Kernels), new Text(Verdict(candidate)));
            }

            Terminal.Write(table);
        }

        return ExitCode.Done;
    }

    private static string Size(long bytes) => bytes > 0 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F1} GiB") : "";

    private static string Verdict(DeviceCandidate candidate) =>
        candidate.IsAutoChoice ? "chosen" : candidate.IsUsable ? $"usable, not chosen: {candidate.Reason}" : $"unusable: {candidate.Reason}";
}
