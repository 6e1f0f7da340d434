using DeRa.Benchmarks;
using DeRa.Cli.Output;
using DeRa.Kernels;

namespace DeRa.Cli.Commands;

/// <summary>The serve workload of <c>dera bench</c>.</summary>
internal static class ServeBench
{
    public const string Workload = "serve";

    /// <summary>Runs the workload and shows it.</summary>
    /// <param name="devices">Where.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="options">What is sent.</param>
    /// <param name="weightType">Storage of the weights; null keeps the checkpoint's.</param>
    /// <param name="asJson">A JSON line per case in place of a table.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<IReadOnlyList<ServeMeasurement>> RunAsync(
        DeviceNames devices, PairFolders pair, ServeOptions options, DType? weightType, bool asJson, CancellationToken cancellationToken)
    {
        var measured = new List<ServeMeasurement>();
        await foreach (ServeMeasurement measurement in ServeWorkload.RunAsync(devices, pair, options, weightType, cancellationToken))
        {
            Console.Error.WriteLine($"{Workload}: {measurement.CaseLabel}");
            measured.Add(measurement);
            if (asJson)
            {
                Json.WriteLine(measurement);
            }
        }

        if (!asJson)
        {
            BenchTable.Write(measured);
        }

        return measured;
    }
}
