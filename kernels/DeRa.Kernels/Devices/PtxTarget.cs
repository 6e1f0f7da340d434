using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels;

/// <summary>The architecture that kernels are compiled for: ILGPU alone stops at sm_80.</summary>
internal static class PtxTarget
{
    // Architectures in order, and the PTX ISA that each came with (PTX ISA manual, release notes).
    private static readonly (CudaArchitecture Architecture, CudaInstructionSet Since)[] Known =
    [
        (new(7, 0), new(6, 0)), (new(7, 2), new(6, 1)), (new(7, 5), new(6, 3)), (new(8, 0), new(7, 0)), (new(8, 6), new(7, 1)), (new(8, 7), new(7, 4)),
        (new(8, 9), new(7, 8)), (new(9, 0), new(7, 8)), (new(10, 0), new(8, 6)), (new(10, 1), new(8, 6)), (new(10, 3), new(8, 8)), (new(12, 0), new(8, 7)),
        (new(12, 1), new(8, 8)),
    ];

    /// <summary>
    /// A device's own architecture. Where the instruction set does not know it (a device newer than this table, or than what ILGPU emits), the newest one
    /// before it: PTX for that runs on the device too.
    /// </summary>
    public static CudaArchitecture For(CudaArchitecture device, CudaInstructionSet instructions) =>
        Known.Where(known => known.Architecture <= device && known.Since <= instructions).Select(known => known.Architecture).LastOrDefault(device);

    /// <summary>
    /// Code compiled for sm_90 as code for sm_90a, which has the instructions that later architectures do not: wgmma. ILGPU knows no such target.
    /// </summary>
    /// <exception cref="ArgumentException">The code is for another architecture.</exception>
    public static string ArchitectureSpecific(string ptx)
    {
        const string Before = ".target sm_90\n", After = ".target sm_90a\n";
        return ptx.Contains(Before, StringComparison.Ordinal)
            ? ptx.Replace(Before, After, StringComparison.Ordinal)
            : throw new ArgumentException("no code for sm_90", nameof(ptx));
    }
}
