using System.Reflection;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>A CUDA kernel, what it is launched with, and what its machine code has to hold.</summary>
internal sealed record CudaKernel(string Name, MethodInfo Method, int GroupSize, int MostRegisters, (string Instruction, int AtLeast)[] Expected)
{
    /// <summary>
    /// What to assemble for: bfloat16 needs sm_80; binary16 differs between sm_75 and newer ones only, where its code is bfloat16's with another type.
    /// </summary>
    public string[] Targets => Name.Contains("BFloat16", StringComparison.Ordinal) ? ["sm_80", "sm_90"] : ["sm_75", "sm_90"];

    /// <inheritdoc />
    public override string ToString() => Name;
}

/// <summary>Every kernel of the CUDA set. A new kernel class that is not listed fails <see cref="CudaPtxTests"/>.</summary>
internal static class CudaKernels
{
    public const string WideLoad = @"LDG\.E\.(\w+\.)*128", WideShared = @"LDS(\.\w+)*\.128", Tensor = "HMMA", Copy = "LDGSTS";

    /// <summary>Targets that are assembled for.</summary>
    public static IReadOnlyList<(string Name, CudaArchitecture Architecture, CudaInstructionSet Instructions)> Targets { get; } =
    [
        ("sm_75", CudaArchitecture.SM_75, new CudaInstructionSet(7, 4)),
        ("sm_80", CudaArchitecture.SM_80, new CudaInstructionSet(7, 4)),
        ("sm_90", CudaArchitecture.SM_90, new CudaInstructionSet(8, 0)),
    ];

    public static IEnumerable<CudaKernel> All() =>
    [
        .. Of(typeof(SkinnyLinearKernel<>), 128, 128, (WideLoad, 8), (WideShared, 4), (Tensor, 16)),
        .. Of(typeof(TiledLinearKernel<>), 256, 255, (WideShared, 12), (Tensor, 32)),
        .. Head(typeof(HeadKernel<,>)), .. Head(typeof(SweepKernel<,>)), .. Head(typeof(ScoreKernel<,>)),
        .. Attention(typeof(Head64)), .. Attention(typeof(Head128)),
        .. Of(typeof(RopeKernel<>).MakeGenericType(typeof(TensorCache<TensorBFloat16>)), "BFloat16", 128, 64),
        .. Of(typeof(RopeKernel<>).MakeGenericType(typeof(TensorCache<TensorFloat16>)), "Float16", 128, 64),
        .. Of(typeof(RoundKernel<>), 128, 64, (WideLoad, 2)),
    ];

    // Two projections of two models each, in parts of a tile, and once more for the token drawn.
    private static IEnumerable<CudaKernel> Head(Type definition) =>
        from projector in new[] { typeof(TensorProjector<TensorBFloat16>), typeof(TensorProjector<TensorFloat16>) }
        select new CudaKernel(
            $"{definition.Name.Split('`')[0]}_{projector.GetGenericArguments()[0].Name}",
            definition.MakeGenericType(projector, projector).GetMethod("Run")!, 128, 255, [(WideLoad, 8), (WideShared, 8), (Tensor, 16)]);

    // Scores and values of a chunk, and the sums of weights.
    private static IEnumerable<CudaKernel> Attention(Type width) =>
        from format in new[] { typeof(TensorBFloat16), typeof(TensorFloat16) }
        let products = width == typeof(Head64) ? 2 : 4
        select new CudaKernel(
            $"{nameof(FlashAttentionKernel<TensorFloat16, Head64>)}_{width.Name}_{format.Name}",
            typeof(FlashAttentionKernel<,>).MakeGenericType(format, width).GetMethod("Run")!, 32, 255,
            [(WideShared, 8 * products), (Tensor, 32 * products + 4), ("LDSM", 8 * products)]);

    private static IEnumerable<CudaKernel> Of(Type type, string format, int groupSize, int registers) =>
        [new($"{type.Name.Split('`')[0]}_{format}", type.GetMethod("Run")!, groupSize, registers, [])];

    private static IEnumerable<CudaKernel> Of(Type definition, int groupSize, int registers, params (string, int)[] expected) =>
        from format in new[] { typeof(TensorBFloat16), typeof(TensorFloat16) }
        select new CudaKernel(
            $"{definition.Name.Split('`')[0]}_{format.Name}", definition.MakeGenericType(format).GetMethod("Run")!, groupSize, registers, expected);
}
