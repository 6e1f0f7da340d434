using System.Diagnostics;

namespace DeRa.Benchmarks;

/// <summary>The most memory the process held at once, mapped weights that were touched included.</summary>
internal static class PeakMemory
{
    // Linux: 5 resets the peak of the resident set (proc(5), /proc/[pid]/clear_refs).
    private const string ResetFile = "/proc/self/clear_refs";

    /// <summary>Starts anew; where the system does not offer it, the peak stays that of the process's whole life.</summary>
    public static void Reset()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            File.WriteAllText(ResetFile, "5");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A sandbox without the file: the peak since the start is still an upper bound, as documented.
        }
    }

    /// <summary>Bytes.</summary>
    public static long Read()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
