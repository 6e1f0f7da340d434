using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Sums of eight rows × eight outputs in a work-item's registers: rows 0 … 3 and 16 … 19 of a part of a tile, outputs 0 … 3 and 32 … 35.</summary>
internal struct Tile8
{
    private Eight row0;
    private Eight row1;
    private Eight row2;
    private Eight row3;
    private Eight row16;
    private Eight row17;
    private Eight row18;
    private Eight row19;

    /// <summary>sums + the products of eight weights and eight activations of one input.</summary>
    public static Tile8 MultiplyAdd(Four lowOutputs, Four highOutputs, Four lowRows, Four highRows, Tile8 sums)
    {
        var w = new Eight
        {
            A = lowOutputs.A,
            B = lowOutputs.B,
            C = lowOutputs.C,
            D = lowOutputs.D,
            E = highOutputs.A,
            F = highOutputs.B,
            G = highOutputs.C,
            H = highOutputs.D,
        };
        return new()
        {
            row0 = Eight.MultiplyAdd(w, lowRows.A, sums.row0),
            row1 = Eight.MultiplyAdd(w, lowRows.B, sums.row1),
            row2 = Eight.MultiplyAdd(w, lowRows.C, sums.row2),
            row3 = Eight.MultiplyAdd(w, lowRows.D, sums.row3),
            row16 = Eight.MultiplyAdd(w, highRows.A, sums.row16),
            row17 = Eight.MultiplyAdd(w, highRows.B, sums.row17),
            row18 = Eight.MultiplyAdd(w, highRows.C, sums.row18),
            row19 = Eight.MultiplyAdd(w, highRows.D, sums.row19),
        };
    }

    /// <summary>Writes the tile from its first element on; <paramref name="stride"/> counts fours between rows.</summary>
    public readonly void Store(ArrayView<Four> target, int first, int stride)
    {
        Store(target, first, row0);
        Store(target, first + stride, row1);
        Store(target, first + 2 * stride, row2);
        Store(target, first + 3 * stride, row3);
        Store(target, first + 16 * stride, row16);
        Store(target, first + 17 * stride, row17);
        Store(target, first + 18 * stride, row18);
        Store(target, first + 19 * stride, row19);
    }

    private static void Store(ArrayView<Four> target, int first, Eight row)
    {
        target[first] = new() { A = row.A, B = row.B, C = row.C, D = row.D };
        target[first + 8] = new() { A = row.E, B = row.F, C = row.G, D = row.H };
    }
}
