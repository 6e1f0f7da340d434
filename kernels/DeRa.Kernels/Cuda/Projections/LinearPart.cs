using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// One weight of a launch, or a gate and an up projection. Its outputs lie in tiles of 16 lines, the rows of a tensor core's A: sixteen outputs of the
/// weight, or eight of the gate in the upper half and the same eight of the up projection in the lower, so that a lane ends up with both.
/// </summary>
internal struct LinearPart
{
    /// <summary>The upper eight lines of each tile.</summary>
    public WeightView W;
    public WeightView Bias;

    /// <summary>The lower eight lines: W again, or the up projection.</summary>
    public WeightView Lower;
    public WeightView LowerBias;
    public MatrixView Y;

    /// <summary>Outputs of a tile of 16 lines: 16, or 8 beside as many of the other weight.</summary>
    public int Outputs;
    public int SegmentBlocks;
    public int Segments;

    /// <summary>Segments that one group sums: all of them, or one.</summary>
    public int SegmentsPerGroup;

    /// <summary>Whether groups finish their elements themselves: one segment, and nothing that needs more than an element.</summary>
    public int IsDirect;

    /// <summary>First group of the grid; past its end for a part that is not there.</summary>
    public int FirstGroup;
    public int FirstCounter;
    public long FirstPartial;

    /// <summary>Lines in all.</summary>
    public readonly int Lines => Outputs == Fragments.Outputs
        ? Y.Columns
        : (Y.Columns + Outputs - 1) / Outputs * Fragments.Outputs;

    /// <summary>The output of the first weight whose line it is.</summary>
    public readonly int Column(int line) => line / Fragments.Outputs * Outputs + line % Outputs;

    /// <summary>The line of an output of the first weight.</summary>
    public readonly int Line(int column) => column / Outputs * Fragments.Outputs + column % Outputs;

    /// <summary>First element of the weights of a line of an upper half; outputs past the end repeat the last one and are dropped.</summary>
    public readonly long UpperWeights(int tile, int line, int depth) => W.Offset + (long)Clamped(tile * Outputs + line) * depth;

    /// <summary>First element of the weights of a line of a lower half, counted from 0.</summary>
    public readonly long LowerWeights(int tile, int line, int depth) =>
        Lower.Offset + (long)Clamped(tile * Outputs + Outputs - Fragments.Outputs / 2 + line) * depth;

    /// <summary>The weight that a line of a tile is of.</summary>
    public readonly ArrayView<ushort> Data(int line) => line >= Fragments.Outputs / 2 ? Lower.Data : W.Data;

    /// <summary>First element of the weights of a line of a tile, of either half.</summary>
    public readonly long Weights(int tile, int line, int depth)
    {
        bool isLower = line >= Fragments.Outputs / 2;
        return (isLower ? Lower.Offset : W.Offset) + (long)Clamped(tile * Outputs + line + (isLower ? Outputs - Fragments.Outputs : 0)) * depth;
    }

    private readonly int Clamped(int output) => IntrinsicMath.Min(output, Y.Columns - 1);
}
