using System.Runtime.CompilerServices;
using ILGPU.Frontend;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// wgmma.mma_async of sm_90a, called by the four warps of a warpgroup: sums of 64 lines × 128 rows over a stage of 128 inputs, both operands in shared memory
/// ("K-major", 128-byte swizzle). A stage is two halves of 64 inputs; in each a line is 128 bytes, and eight lines are one period of the swizzle.
/// </summary>
/// <remarks>
/// What a stage takes stands in one block of PTX: the assembler serialises instructions of wgmma whose registers are seen by anything in between. The copies of
/// a later stage are in the block too, so that they are on their way while the tensor cores work. Nothing here spins: a wait is for this work-item's own copies
/// or products, everything else a barrier of the whole group.
/// </remarks>
internal static partial class Warpgroup
{
    /// <summary>Work-items.</summary>
    public const int Size = 4 * EmulatedWarp.Size;

    /// <summary>Lines of weights.</summary>
    public const int Lines = 4 * Fragments.Outputs;

    /// <summary>Inputs of half a stage: a line of 128 bytes.</summary>
    public const int Half = 64;

    /// <summary>Inputs of a stage.</summary>
    public const int Depth = 2 * Half;

    /// <summary>Bytes of a line in half a stage.</summary>
    public const int LineBytes = Half * sizeof(ushort);

    /// <summary>Bytes of one operand in half a stage: 128 lines, or rows.</summary>
    public const int HalfBytes = 128 * LineBytes;

    /// <summary>Bytes of a stage: weights of 128 lines, then activations of 128 rows.</summary>
    public const int StageBytes = 4 * HalfBytes;

    /// <summary>What the first stage has to be aligned to: eight lines.</summary>
    public const int Alignment = 8 * LineBytes;

    /// <summary>Products of sixteen inputs in a stage.</summary>
    public const int Products = Depth / 16;

    /// <summary>Pieces of weights, eight bytes each, that a work-item copies of half a stage, and lines from one to the next.</summary>
    public const int WeightPieces = 8, WeightLines = 128 / WeightPieces;

    /// <summary>Pieces of activations, sixteen bytes each, and rows from one to the next.</summary>
    public const int ActivationPieces = 4, ActivationRows = 128 / ActivationPieces;

    /// <summary>The shared address of memory.</summary>
    [IntrinsicImplementation, External("warpgroupSharedAddress")]
    public static unsafe int SharedAddress(ref Quad at) => EmulatedWarpgroup.SharedAddress((nint)Unsafe.AsPointer(ref at));

    /// <summary>The matrix descriptor of an operand at a shared address (PTX ISA, "Matrix descriptor format"): eight lines 1024 bytes apart, swizzle of 128 bytes.</summary>
    public static long Descriptor(int address) => ((long)address >> 4) | (1L << 16) | ((long)(Alignment >> 4) << 32) | (1L << 62);

    /// <summary>Bytes from an operand's first inputs in a stage to those of a product: two 16-byte columns of the same lines, then the other half.</summary>
    public static int Advance(int product) => (product / 4 * HalfBytes) + (product % 4 * 2 * 16);

    /// <summary>Begins a stage's copies.</summary>
    [IntrinsicImplementation, External("warpgroupBegin")]
    public static void Begin(StageCopies copies, StageStep step)
    {
        EmulatedWarpgroup.Begin(copies, step, 0);
        Memory16.Commit();
    }

    /// <summary>Waits for all stages of this work-item but the newest, and shows them to the tensor cores; a barrier of the group has to follow.</summary>
    [IntrinsicImplementation, External("warpgroupArrive")]
    public static void Arrive() => Memory16.WaitForAllButOne();

    /// <summary>sums + a stage of bfloat16, while the copies of another stage begin.</summary>
    /// <param name="sums">The sums.</param>
    /// <param name="w">Descriptor of the warpgroup's lines of weights.</param>
    /// <param name="x">Descriptor of the activations.</param>
    /// <param name="copies">Where this work-item copies from.</param>
    /// <param name="step">The stage to be copied.</param>
    [IntrinsicImplementation, External("warpgroupBFloat16")]
    public static WarpgroupSums BFloat16(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step) =>
        EmulatedWarpgroup.Multiply(sums, w, x, copies, step, TensorCore.BFloat16Element, EmulatedWarpgroup.Exact);

    /// <summary>The same of binary16.</summary>
    [IntrinsicImplementation, External("warpgroupFloat16")]
    public static WarpgroupSums Float16(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step) =>
        EmulatedWarpgroup.Multiply(sums, w, x, copies, step, TensorCore.Float16Element, EmulatedWarpgroup.Exact);
}
