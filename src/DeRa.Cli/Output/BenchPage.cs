using DeRa.Benchmarks;

namespace DeRa.Cli.Output;

/// <summary>The page of <c>bench --html</c>, written anew whenever a workload has ended: what was measured is there if a later one fails.</summary>
/// <param name="file">Where to; null writes nothing.</param>
internal sealed class BenchPage(string? file)
{
    private BenchReport? report;

    /// <summary>Adds to what was measured and writes the page.</summary>
    /// <param name="device">The devices in words, where they are not known yet.</param>
    /// <param name="add">The report with what is new.</param>
    public void Add(string device, Func<BenchReport, BenchReport> add)
    {
        report = add(report ?? new BenchReport { Device = device });
        if (file is not null)
        {
            CompleteFile.Write(file, stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                HtmlReport.Write(writer, report);
            });
        }
    }
}
