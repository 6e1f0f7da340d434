using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ILGPU;

namespace DeRa.Kernels;

/// <summary>
/// Finds the drivers' libraries. ILGPU asks for them by the names that development packages install ("OpenCL", "cuda"); drivers install
/// libOpenCL.so.1 and libcuda.so.1.
/// </summary>
internal static class DriverLibraries
{
    private static readonly ConcurrentDictionary<string, nint> Loaded = new(); // ILGPU asks once per imported function
    private static int registered;

    /// <summary>The library a driver of this family installs, as people know it.</summary>
    public static string Name(DeviceKind kind) => (kind, OperatingSystem.IsWindows(), OperatingSystem.IsMacOS()) switch
    {
        (DeviceKind.Cuda, true, _) => "nvcuda.dll",
        (DeviceKind.Cuda, _, _) => "libcuda.so.1",
        (_, true, _) => "OpenCL.dll",
        (_, _, true) => "/System/Library/Frameworks/OpenCL.framework/OpenCL",
        _ => "libOpenCL.so.1",
    };

    /// <summary>Whether the family's driver library can be loaded.</summary>
    public static bool IsPresent(DeviceKind kind) => Load(Name(kind)) != 0;

    /// <summary>Address of a function of the family's driver library; false where the library or the function is missing.</summary>
    public static bool TryGetFunction(DeviceKind kind, string name, out nint address)
    {
        address = 0;
        nint library = Load(Name(kind));
        return library != 0 && NativeLibrary.TryGetExport(library, name, out address);
    }

    /// <summary>Maps ILGPU's names to the installed ones; idempotent.</summary>
    public static void Register()
    {
        if (!OperatingSystem.IsLinux() || Interlocked.Exchange(ref registered, 1) == 1)
        {
            return;
        }

        NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (name, _, _) =>
            name.Contains("OpenCL", StringComparison.OrdinalIgnoreCase) ? Load(Name(DeviceKind.OpenCl))
            : name is "cuda" or "libcuda" or "libcuda.so" ? Load(Name(DeviceKind.Cuda))
            : 0); // the runtime probes as usual
    }

    private static nint Load(string library) =>
        Loaded.GetOrAdd(library, static name => NativeLibrary.TryLoad(name, out nint handle) ? handle : 0);
}
