using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A tile of 128 lines × 128 rows by a group, and what becomes of its sums in the projections of many rows: results, or rows of a gate and an up projection
/// that meet in shared memory, or partial sums of a segment, which the last group of a tile adds in order.
/// </summary>
internal struct LinearTile
{
    /// <summary>Work-items of a group: eight warps, or two warpgroups.</summary>
    public const int GroupSize = 256;

    /// <summary>Lines, and rows.</summary>
    public const int Size = 128;

    // Between rows of sums in shared memory: padded so that lanes of neighbouring rows meet in different banks.
    private const int Stride = Size + 4;

    public int FirstLine;
    public int FirstRow;

    /// <summary>Which of the groups that share out the segments this is.</summary>
    public int Share;

    /// <summary>Which tile of the part.</summary>
    public int Index;

    /// <summary>The tile of this group. Tiles of rows follow one another, so that they find a tile's weights in the L2 cache.</summary>
    public static LinearTile Of(TensorLinearArgs args, LinearPart part)
    {
        int group = Grid.IdxX - part.FirstGroup, rowTiles = (args.X.Rows + Size - 1) / Size, tiles = rowTiles * ((part.Lines + Size - 1) / Size);
        int index = group % tiles;
        return new()
        {
            FirstLine = index / rowTiles * Size,
            FirstRow = index % rowTiles * Size,
            Share = group / tiles,
            Index = index,
        };
    }

    /// <summary>Does with the sums what the arguments say. Called by every member of the group, whose copies have all arrived.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="part">The weight.</param>
    /// <param name="total">Sums of this group's segments.</param>
    /// <param name="memory">The stages, which nothing else is kept in any more.</param>
    /// <typeparam name="TSums">Sums of a work-item.</typeparam>
    /// <typeparam name="TForm">The barrier of those who call this: the whole group, or its multiplying warpgroups.</typeparam>
    public readonly void End<TSums, TForm>(TensorLinearArgs args, LinearPart part, TSums total, ArrayView<Quad> memory)
        where TSums : struct, ITileSums
        where TForm : struct, IGroupForm
    {
        int line = FirstLine + TSums.FirstLine, row = FirstRow + TSums.FirstRow;
        if (part.IsDirect != 0)
        {
            total.Give(new Finished { Args = args, Part = part }, line, row);
            return;
        }

        if (part.SegmentsPerGroup == part.Segments)
        {
            Gate<TSums, TForm>(args, part, total, memory.Cast<float>());
            return;
        }

        total.Give(new Kept { Args = args, Part = part, Segment = Share }, line, row);
        TForm.Barrier(); // the flag lies where the stages were
        if (LastGroup.IsLast<TForm>(ref args.Counters[part.FirstCounter + Index], part.Segments, memory.Cast<int>()))
        {
            args.Merge(part, FirstLine, Size, FirstRow, Size, GroupSize);
        }
    }

    // Element by element with coalesced stores, since an activation in every register's place would be the most of the kernel's code.
    private readonly void Gate<TSums, TForm>(TensorLinearArgs args, LinearPart part, TSums total, ArrayView<float> stored)
        where TSums : struct, ITileSums
        where TForm : struct, IGroupForm
    {
        int first = part.Column(FirstLine), columns = IntrinsicMath.Min(part.Column(FirstLine + Size), part.Y.Columns) - first;
        for (int from = 0; from < Size; from += TSums.StoredRows)
        {
            TForm.Barrier(); // all are done with what lay there
            for (int own = TSums.FirstRow / TSums.StoredRows * TSums.StoredRows; own == from; own += Size)
            {
                total.Give(new Stored { Target = stored }, TSums.FirstLine, TSums.FirstRow - from);
            }

            TForm.Barrier();
            int rows = IntrinsicMath.Min(TSums.StoredRows, args.X.Rows - FirstRow - from);
            for (int i = Group.IdxX; i < columns * rows; i += GroupSize)
            {
                int row = i / columns, at = row * Stride + part.Line(i % columns);
                args.Write(part, stored[at], stored[at + 8], first + i % columns, FirstRow + from + row);
            }
        }
    }

    /// <summary>Results, where no activation follows.</summary>
    private struct Finished : ISumsSink
    {
        public TensorLinearArgs Args;
        public LinearPart Part;

        public readonly void Take(Sums sums, int line, int row) => Args.Finish(Part, sums, line, row);
    }

    /// <summary>The partial sums of a segment.</summary>
    private struct Kept : ISumsSink
    {
        public TensorLinearArgs Args;
        public LinearPart Part;
        public int Segment;

        public readonly void Take(Sums sums, int line, int row) => Args.Keep(Part, sums, Segment, line, row);
    }

    /// <summary>Shared memory, [rows, stride].</summary>
    private struct Stored : ISumsSink
    {
        public ArrayView<float> Target;

        public readonly void Take(Sums sums, int line, int row) => sums.Store(Target, row * Stride + line, Stride);
    }
}
