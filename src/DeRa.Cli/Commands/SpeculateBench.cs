using DeRa.Benchmarks;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Kernels;

namespace DeRa.Cli.Commands;

/// <summary>The speculate workload of <c>dera bench</c>.</summary>
internal static class SpeculateBench
{
    public const string Workload = "speculate";

    /// <summary>Runs the workload and shows it.</summary>
    /// <param name="where">The device.</param>
    /// <param name="options">What is run.</param>
    /// <param name="createPair">The pair, for a device and how far apart random models are to be.</param>
    /// <param name="asJson">A JSON line per way and case in place of a table.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(
        DeviceArguments where, SpeculateOptions options, Func<DeviceDescription, float, PairFolders> createPair, bool asJson, CancellationToken cancellationToken)
    {
        DeviceDescription device;
        using (KernelSet kernels = DeviceCatalog.Open(where.Device, Note))
        {
            device = kernels.Device;
        }

        using PairFolders pair = createPair(device, options.Noise);
        var all = new List<SpeculateMeasurement>();
        await foreach (IReadOnlyList<SpeculateMeasurement> measured in SpeculateWorkload.RunAsync(device.Id, pair, options, cancellationToken))
        {
            Note($"{Workload}: batch {measured[0].Batch}");
            all.AddRange(measured);
            if (asJson)
            {
                foreach (SpeculateMeasurement measurement in measured)
                {
                    Json.WriteLine(measurement);
                }
            }
        }

        if (!asJson)
        {
            SpeculateTable.Write(all);
        }
    }

    private static void Note(string line) => Console.Error.WriteLine(line);
}
