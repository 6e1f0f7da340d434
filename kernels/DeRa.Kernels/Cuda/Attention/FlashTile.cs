using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>Arguments of <see cref="FlashAttentionKernel{TFormat, TWidth}"/>.</summary>
internal struct FlashArgs
{
    /// <summary>Most query rows of a tile.</summary>
    public const int TileRows = 16;

    public AttentionArgs Attention;
    public IntView QueryStarts;
    public int Sequences;

    /// <summary>Query heads that share a key-value head.</summary>
    public int GroupHeads;

    /// <summary>Tokens of a tile: as many as fit with all their heads, at least one.</summary>
    public int TileTokens;

    /// <summary>Key-value heads times the tiles that their query heads take.</summary>
    public int KvCells;

    /// <summary>Groups that share out a tile's chunks; 1 keeps everything in registers.</summary>
    public int Shares;
    public int ChunksPerShare;

    /// <summary>[cells, chunks, warps, <see cref="FlashPartial.Floats"/>, 32 lanes].</summary>
    public ArrayView<float> Partials;

    /// <summary>[cells] arrivals.</summary>
    public ArrayView<int> Counters;
}

/// <summary>The query rows of a group: row r is token r / Heads of the tile and head FirstHead + r mod Heads.</summary>
internal struct FlashTile
{
    public int FirstToken;
    public int Heads;
    public int FirstHead;
    public int KvHead;
    public int Rows;
    public long Table;
    public int LastPosition;
    public int FirstChunk;
    public int EndChunk;

    /// <summary>Tile <paramref name="index"/> of the batch, counting each sequence's tiles in turn; no rows past the last.</summary>
    public static FlashTile Find(FlashArgs args, int index, int kvCell)
    {
        int sequence = 0, left = index, count = Tiles(args, 0);
        while (left >= count && sequence + 1 < args.Sequences)
        {
            left -= count;
            sequence++;
            count = Tiles(args, sequence);
        }

        int headTiles = (args.GroupHeads + FlashArgs.TileRows - 1) / FlashArgs.TileRows, headTile = kvCell % headTiles;
        int heads = IntrinsicMath.Min(FlashArgs.TileRows, args.GroupHeads - headTile * FlashArgs.TileRows);
        int end = args.QueryStarts.At(sequence + 1), first = args.QueryStarts.At(sequence) + left * args.TileTokens;
        int tokens = IntrinsicMath.Clamp(end - first, 0, args.TileTokens);

        // Past the last tile, the batch's first token stands in, so that what is read exists.
        int known = first * IntrinsicMath.Min(tokens, 1), last = args.Attention.Positions.At(known + IntrinsicMath.Max(tokens - 1, 0));
        int start = IntrinsicMath.Max(0, args.Attention.Positions.At(known) - args.Attention.Window + 1);
        return new()
        {
            FirstToken = known,
            Heads = heads,
            FirstHead = kvCell / headTiles * args.GroupHeads + headTile * FlashArgs.TileRows,
            KvHead = kvCell / headTiles,
            Rows = tokens * heads,
            Table = (long)args.Attention.SequenceIndex.At(known) * args.Attention.MaxBlocks,
            LastPosition = last,
            FirstChunk = start / Slab.Positions,
            EndChunk = last / Slab.Positions + 1,
        };
    }

    /// <summary>Position of a row's token; a row past the last repeats the last.</summary>
    public readonly int Position(FlashArgs args, int row) => args.Attention.Positions.At(Token(row));

    /// <summary>First element of a row's query.</summary>
    public readonly long Query(FlashArgs args, int row) =>
        args.Attention.Qkv.Row(Token(row)) + args.Attention.Layout.QOffset + (long)Head(row) * args.Attention.Layout.QHeadStride;

    /// <summary>First element of a position's keys and values; a position past the last repeats the last.</summary>
    public readonly long Cell(FlashArgs args, int position) => args.Attention.Cell(Table, KvHead, IntrinsicMath.Min(position, LastPosition));

    /// <summary>Element of a head where load <paramref name="place"/> begins; inside the head whatever is asked for.</summary>
    public static int Element(FlashArgs args, int place) =>
        IntrinsicMath.Min(Fragments.Load * place, args.Attention.Layout.HeadDim - Fragments.Load);

    /// <summary>16 where the position is cached and the head has these elements, else 0.</summary>
    public readonly int Bytes(FlashArgs args, int position, int place) =>
        Fragments.Bytes(position, LastPosition + 1) * IntrinsicMath.Clamp(args.Attention.Layout.HeadDim - Fragments.Load * place, 0, 1);

    /// <summary>output = sums / sum of weights for elements from <paramref name="first"/> on.</summary>
    public readonly void Write(FlashArgs args, Sums8 o, RowSums rows, int first)
    {
        int element = first + 2 * Lane.Place;
        Write(args, o.T0, rows, element);
        Write(args, o.T1, rows, element + 8);
        Write(args, o.T2, rows, element + 16);
        Write(args, o.T3, rows, element + 24);
        Write(args, o.T4, rows, element + 32);
        Write(args, o.T5, rows, element + 40);
        Write(args, o.T6, rows, element + 48);
        Write(args, o.T7, rows, element + 56);
    }

    private readonly void Write(FlashArgs args, Sums o, RowSums rows, int element)
    {
        Write(args, o.A, rows.UpperSum, Lane.Line, element);
        Write(args, o.B, rows.UpperSum, Lane.Line, element + 1);
        Write(args, o.C, rows.LowerSum, Lane.Line + 8, element);
        Write(args, o.D, rows.LowerSum, Lane.Line + 8, element + 1);
    }

    private readonly void Write(FlashArgs args, float value, float sum, int row, int element)
    {
        int dim = args.Attention.Layout.HeadDim;
        if (row < Rows && element < dim)
        {
            args.Attention.Output.Data[args.Attention.Output.Row(Token(row)) + (long)Head(row) * dim + element] = value / sum;
        }
    }

    private readonly int Token(int row) => FirstToken + IntrinsicMath.Min(row, Rows - 1) / Heads;

    private readonly int Head(int row) => FirstHead + IntrinsicMath.Min(row, Rows - 1) % Heads;

    private static int Tiles(FlashArgs args, int sequence) =>
        (args.QueryStarts.At(sequence + 1) - args.QueryStarts.At(sequence) + args.TileTokens - 1) / args.TileTokens;
}
