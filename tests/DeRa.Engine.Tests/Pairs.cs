using DeRa.Kernels;

namespace DeRa.Engine.Tests;

/// <summary>Pairs and devices that the tests run on.</summary>
internal static class Pairs
{
    public static string Root => RepositoryRoot.Path;

    public static EngineOptions Bundled(string device = "cpu") => Folders(Path.Combine(Root, "weights"), "reference", device);

    public static EngineOptions Golden(string name, string device = "cpu") => Folders(Path.Combine(Root, "tests", "Golden", "models", name), "ref", device);

    /// <summary>cpu always; opencl is reported as skipped where it is absent, except in CI, where absence is a failure.</summary>
    public static void Require(string device)
    {
        if (!DeviceCatalog.List().Any(candidate => candidate.IsUsable && candidate.Description.Id.StartsWith(device, StringComparison.Ordinal)))
        {
            Absent.Skip($"no usable {device} device on this machine");
        }
    }

    private static EngineOptions Folders(string folder, string reference, string device) => new()
    {
        ReferenceFolder = Path.Combine(folder, reference),
        AlignedFolder = Path.Combine(folder, "aligned"),
        Device = device,
        CachePositions = 8192,
    };
}
