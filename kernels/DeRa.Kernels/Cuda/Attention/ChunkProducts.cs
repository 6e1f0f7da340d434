using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>The products of attention on a chunk's slabs: 16 query rows in a warp, keys and values in shared memory.</summary>
internal static class ChunkProducts<TFormat>
    where TFormat : struct, ITensorFormat
{
    private const int EightPositions = 8 * Fragments.Loads;

    /// <summary>The query's fragments of block <paramref name="block"/> of a slab times the keys, added to the scores.</summary>
    public static Sums8 Scores(Sums8 s, Quad upper, Quad lower, ArrayView<Quad> keys, int block)
    {
        int at = Fragments.Staged(block, Lane.Line, Lane.Place, Slab.Positions);
        s.T0 = Fragments.Step<TFormat>(s.T0, upper, lower, Memory16.Shared(ref keys[at]));
        s.T1 = Fragments.Step<TFormat>(s.T1, upper, lower, Memory16.Shared(ref keys[at + EightPositions]));
        s.T2 = Fragments.Step<TFormat>(s.T2, upper, lower, Memory16.Shared(ref keys[at + 2 * EightPositions]));
        s.T3 = Fragments.Step<TFormat>(s.T3, upper, lower, Memory16.Shared(ref keys[at + 3 * EightPositions]));
        s.T4 = Fragments.Step<TFormat>(s.T4, upper, lower, Memory16.Shared(ref keys[at + 4 * EightPositions]));
        s.T5 = Fragments.Step<TFormat>(s.T5, upper, lower, Memory16.Shared(ref keys[at + 5 * EightPositions]));
        s.T6 = Fragments.Step<TFormat>(s.T6, upper, lower, Memory16.Shared(ref keys[at + 6 * EightPositions]));
        s.T7 = Fragments.Step<TFormat>(s.T7, upper, lower, Memory16.Shared(ref keys[at + 7 * EightPositions]));
        return s;
    }

    /// <summary>Weights times a slab of values.</summary>
    public static Sums8 Output(Weights16 weights, ArrayView<Quad> values)
    {
        Sums8 o = default;
        o = Output(o, weights.P0, values, 0);
        o = Output(o, weights.P1, values, 16);
        o = Output(o, weights.P2, values, 32);
        return Output(o, weights.P3, values, 48);
    }

    // Sixteen positions: each ldmatrix brings two tiles of eight elements, both halves of the positions.
    private static Sums8 Output(Sums8 o, Quad weights, ArrayView<Quad> values, int position)
    {
        int matrix = Lane.Index >> 3, row = position + 8 * (matrix & 1) + (Lane.Index & 7), place = matrix >> 1;
        Quad v = Memory16.Transposed(ref values[ValueSlab.At(row, place)]);
        o.T0 = TFormat.Multiply(o.T0, weights, v.X, v.Y);
        o.T1 = TFormat.Multiply(o.T1, weights, v.Z, v.W);
        v = Memory16.Transposed(ref values[ValueSlab.At(row, place + 2)]);
        o.T2 = TFormat.Multiply(o.T2, weights, v.X, v.Y);
        o.T3 = TFormat.Multiply(o.T3, weights, v.Z, v.W);
        v = Memory16.Transposed(ref values[ValueSlab.At(row, place + 4)]);
        o.T4 = TFormat.Multiply(o.T4, weights, v.X, v.Y);
        o.T5 = TFormat.Multiply(o.T5, weights, v.Z, v.W);
        v = Memory16.Transposed(ref values[ValueSlab.At(row, place + 6)]);
        o.T6 = TFormat.Multiply(o.T6, weights, v.X, v.Y);
        o.T7 = TFormat.Multiply(o.T7, weights, v.Z, v.W);
        return o;
    }
}

/// <summary>Softmax weights of 16 rows × 64 positions as operands: sixteen positions each.</summary>
internal struct Weights16
{
    public Quad P0;
    public Quad P1;
    public Quad P2;
    public Quad P3;

    /// <summary>The weights rounded to the cache's type: a tile of sums is an operand's layout already.</summary>
    public static Weights16 Round<TFormat>(Sums8 p)
        where TFormat : struct, ITensorFormat => new()
        {
            P0 = Round<TFormat>(p.T0, p.T1),
            P1 = Round<TFormat>(p.T2, p.T3),
            P2 = Round<TFormat>(p.T4, p.T5),
            P3 = Round<TFormat>(p.T6, p.T7),
        };

    /// <summary>Σ of each row's rounded weights, as a product with ones: (A, B) of row g, (C, D) of row g + 8.</summary>
    public readonly Sums Total<TFormat>()
        where TFormat : struct, ITensorFormat
    {
        uint ones = TFormat.Pair(1f, 1f);
        Sums sums = TFormat.Multiply(default, P0, ones, ones);
        sums = TFormat.Multiply(sums, P1, ones, ones);
        sums = TFormat.Multiply(sums, P2, ones, ones);
        return TFormat.Multiply(sums, P3, ones, ones);
    }

    private static Quad Round<TFormat>(Sums left, Sums right)
        where TFormat : struct, ITensorFormat => new()
        {
            X = TFormat.Pair(left.A, left.B),
            Y = TFormat.Pair(left.C, left.D),
            Z = TFormat.Pair(right.A, right.B),
            W = TFormat.Pair(right.C, right.D),
        };
}
