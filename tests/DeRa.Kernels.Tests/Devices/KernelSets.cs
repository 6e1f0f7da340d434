namespace DeRa.Kernels.Tests;

/// <summary>The kernel sets that one test body runs over, by the flag value of their device.</summary>
public static class KernelSets
{
    /// <summary>Every family.</summary>
    public static string[] All { get; } = ["cpu", "opencl", "cuda"];

    /// <summary>Families with a usable device here. A build server has to have an OpenCL device: there it counts as present, and its absence fails.</summary>
    public static string[] Present { get; } = [.. All.Where(spec => Absence(spec) is null || (spec == "opencl" && Absent.IsFailure))];

    /// <summary>Why a family cannot run here; null if it can.</summary>
    public static string? Absence(string spec)
    {
        DeviceCandidate[] family = [.. DeviceCatalog.List().Where(candidate => candidate.Description.Id.Split(':')[0] == spec)];
        return family.Any(candidate => candidate.IsUsable) ? null : string.Join("; ", family.Select(candidate => candidate.Reason));
    }
}
