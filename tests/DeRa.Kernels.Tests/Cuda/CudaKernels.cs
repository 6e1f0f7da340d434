using System.Reflection;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>A CUDA kernel, what it is launched with, and what its machine code has to hold.</summary>
internal sealed record CudaKernel(string Name, MethodInfo Method, int GroupSize, int MostRegisters, (string Instruction, int AtLeast)[] Expected)
{
    private static readonly string[] Tightest =
        [nameof(SkinnyLinearKernel<>), nameof(TiledLinearKernel<>), nameof(HeadKernel<,>), $"{nameof(FlashAttentionKernel<,>)}_{nameof(Head256)}"];

    private static readonly string[] ByWarpgroups = [nameof(WarpgroupLinearKernel<>), nameof(SpecialisedLinearKernel<>)];

    /// <summary>
    /// What to assemble for: bfloat16 needs sm_80; binary16 differs between sm_75 and newer ones only, where its code is bfloat16's with another type.
    /// Families with the code of sm_80 take the kernels that need the most of a multiprocessor.
    /// </summary>
    public string[] Targets => ByWarpgroups.Any(name => Name.StartsWith(name, StringComparison.Ordinal)) ? [CudaKernels.Warpgroups]
        : !Name.Contains("BFloat16", StringComparison.Ordinal) ? ["sm_75", "sm_90"]
        : Tightest.Any(name => Name.StartsWith(name, StringComparison.Ordinal)) ? ["sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]
        : ["sm_80", "sm_90"];

    /// <summary>
    /// Of each loop over inputs: products on tensor cores, loops in all, and the most instructions from sm_80 on. Without one of these, no loops.
    /// </summary>
    public (int Tensors, int Loops, int MostInstructions) Inputs { get; init; }

    /// <inheritdoc />
    public override string ToString() => Name;
}

/// <summary>Every kernel of the CUDA set. A new kernel class that is not listed fails <see cref="CudaPtxTests"/>.</summary>
internal static class CudaKernels
{
    public const string WideLoad = @"LDG\.E\.(\w+\.)*128", WideShared = @"LDS(\.\w+)*\.128", WideStore = @"STS(\.\w+)*\.128", Tensor = "HMMA", Copy = "LDGSTS";

    /// <summary>The target of kernels with wgmma, compiled as for sm_90.</summary>
    public const string Warpgroups = "sm_90a";

    /// <summary>Targets that are assembled for.</summary>
    public static IReadOnlyList<(string Name, CudaArchitecture Architecture, CudaInstructionSet Instructions)> Targets { get; } =
    [
        ("sm_75", CudaArchitecture.SM_75, new CudaInstructionSet(7, 4)),
        ("sm_80", CudaArchitecture.SM_80, new CudaInstructionSet(7, 4)),
        ("sm_86", CudaArchitecture.SM_86, new CudaInstructionSet(7, 4)),
        ("sm_89", CudaArchitecture.SM_89, new CudaInstructionSet(7, 8)),
        ("sm_90", CudaArchitecture.SM_90, new CudaInstructionSet(8, 0)),
        (Warpgroups, CudaArchitecture.SM_90, new CudaInstructionSet(8, 0)),
        ("sm_100", CudaArchitecture.SM_100, new CudaInstructionSet(8, 6)),
        ("sm_120", CudaArchitecture.SM_120, new CudaInstructionSet(8, 7)),
    ];

    public static IEnumerable<CudaKernel> All() =>
    [
        .. Looping(Of(typeof(SkinnyLinearKernel<>), 128, 128, (WideLoad, 8), (WideShared, 4), (Tensor, 16)), 16, 1, 140),
        .. Looping(Of(typeof(TiledLinearKernel<>), 256, 255, (WideShared, 12), (Tensor, 32)), 32, 1, 176),
        .. Looping(Of(typeof(WarpgroupLinearKernel<>), 256, 255, ("HGMMA", Warpgroup.Products)), Warpgroup.Products, 1, 186),
        .. Looping(Of(typeof(SpecialisedLinearKernel<>), WarpgroupRoles.GroupSize, WarpgroupRoles.Registers, ("HGMMA", Warpgroup.Products)), Warpgroup.Products, 1, 82),
        .. Head(typeof(HeadKernel<,>)), .. Head(typeof(SweepKernel<,>)), .. Looping(Head(typeof(ScoreKernel<,>)), 8, 2, 98),
        .. Looping(Wide("Head"), 64, 2, 540), .. Looping(Wide("Score"), 64, 2, 540),
        .. Attention(typeof(Head64), 1, 1), .. Attention(typeof(Head128), 2, 1), .. Attention(typeof(Head256), 2, 2),
        .. Of(typeof(RopeKernel<>).MakeGenericType(typeof(TensorCache<TensorBFloat16>)), "BFloat16", 128, 64),
        .. Of(typeof(RopeKernel<>).MakeGenericType(typeof(TensorCache<TensorFloat16>)), "Float16", 128, 64),
        .. Of(typeof(RoundKernel<>), 128, 64, (WideLoad, 2)), .. Of(typeof(OrderedRoundKernel<>), 128, 64, (WideLoad, 2)),
        new CudaKernel(nameof(TensorProbeKernel), typeof(TensorProbeKernel).GetMethod(nameof(TensorProbeKernel.Run))!, Team.Size, 64, [(Tensor, 8)]),
    ];

    private static IEnumerable<CudaKernel> Looping(IEnumerable<CudaKernel> kernels, int tensors, int loops, int mostInstructions) =>
        kernels.Select(kernel => kernel with { Inputs = (tensors, loops, mostInstructions) });

    // Two projections of two models each, in parts of a tile, and once more for the token drawn.
    private static IEnumerable<CudaKernel> Head(Type definition) =>
        from projector in new[] { typeof(TensorProjector<TensorBFloat16>), typeof(TensorProjector<TensorFloat16>) }
        select new CudaKernel(
            $"{definition.Name.Split('`')[0]}_{projector.GetGenericArguments()[0].Name}",
            definition.MakeGenericType(projector, projector).GetMethod("Run")!, 128, 255, [(WideLoad, 8), (WideShared, 8), (Tensor, 16)]);

    // Both models' pairs of blocks: eight weights and sixteen activations each, and as many weights ahead of the loop.
    private static IEnumerable<CudaKernel> Wide(string entry) =>
        from format in new[] { typeof(TensorBFloat16), typeof(TensorFloat16) }
        select new CudaKernel(
            $"{nameof(WideHeadKernel<,>)}_{entry}_{format.Name}", typeof(WideHeadKernel<,>).MakeGenericType(format, format).GetMethod(entry)!, 128, 255,
            [(WideLoad, 2 * 16), (WideShared, 2 * 16), (Tensor, 2 * 64)]);

    // Scores and values of a chunk, and the sums of weights; where two warps share a head, the other's scores as well.
    private static IEnumerable<CudaKernel> Attention(Type width, int slabs, int warps) =>
        from format in new[] { typeof(TensorBFloat16), typeof(TensorFloat16) }
        select new CudaKernel(
            $"{nameof(FlashAttentionKernel<TensorFloat16, Head64>)}_{width.Name}_{format.Name}",
            typeof(FlashAttentionKernel<,>).MakeGenericType(format, width).GetMethod("Run")!, 32 * warps, 255,
            [(WideShared, 16 * slabs + 8 * (warps - 1)), (WideStore, 8 * (warps - 1)), (Tensor, 64 * slabs + 4), ("LDSM", 16 * slabs)]);

    private static IEnumerable<CudaKernel> Of(Type type, string format, int groupSize, int registers) =>
        [new($"{type.Name.Split('`')[0]}_{format}", type.GetMethod("Run")!, groupSize, registers, [])];

    private static IEnumerable<CudaKernel> Of(Type definition, int groupSize, int registers, params (string, int)[] expected) =>
        from format in new[] { typeof(TensorBFloat16), typeof(TensorFloat16) }
        select new CudaKernel(
            $"{definition.Name.Split('`')[0]}_{format.Name}", definition.MakeGenericType(format).GetMethod("Run")!, groupSize, registers, expected);
}
