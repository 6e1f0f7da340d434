using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>The products of attention on a chunk of 64 positions: 16 query rows in a warp, keys and values staged in shared memory.</summary>
/// <remarks>
/// Keys lie as blocks of 32 elements, [block, position, 4 loads], and are multiplied in the order of <see cref="Fragments"/>. Values lie as rows of
/// loads, load d of position p at d XOR (p mod 8): the eight rows that one ldmatrix matrix reads are in eight different banks of sixteen bytes, and so
/// are the loads that a row's copy writes.
/// </remarks>
internal static class ChunkProducts<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Positions of a chunk.</summary>
    public const int Positions = 64;

    private const int EightPositions = 8 * Fragments.Loads;

    /// <summary>Where load <paramref name="place"/> of a position's key lies.</summary>
    public static int Key(int position, int place) => Fragments.Staged(place / Fragments.Loads, position, place % Fragments.Loads, Positions);

    /// <summary>Where load <paramref name="place"/> of a position's value lies.</summary>
    public static int Value(int position, int place, int loads) => position * loads + (place ^ (position & 7));

    /// <summary>The query's fragments of block <paramref name="block"/> times the keys, added to the scores.</summary>
    public static Sums8 Scores(Sums8 s, Quad upper, Quad lower, ArrayView<Quad> keys, int block)
    {
        int at = Fragments.Staged(block, Lane.Line, Lane.Place, Positions);
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

    /// <summary>Weights times 64 elements of the values from load <paramref name="first"/> on.</summary>
    public static Sums8 Output(Weights16 weights, ArrayView<Quad> values, int first, int loads)
    {
        Sums8 o = default;
        o = Output(o, weights.P0, values, 0, first, loads);
        o = Output(o, weights.P1, values, 16, first, loads);
        o = Output(o, weights.P2, values, 32, first, loads);
        return Output(o, weights.P3, values, 48, first, loads);
    }

    // Sixteen positions: each ldmatrix brings two tiles of eight elements, both halves of the positions.
    private static Sums8 Output(Sums8 o, Quad weights, ArrayView<Quad> values, int position, int first, int loads)
    {
        int matrix = Lane.Index / 8, row = position + matrix % 2 * 8 + Lane.Index % 8, place = first + matrix / 2;
        Quad v = Memory16.Transposed(ref values[Value(row, place, loads)]);
        o.T0 = TFormat.Multiply(o.T0, weights, v.X, v.Y);
        o.T1 = TFormat.Multiply(o.T1, weights, v.Z, v.W);
        v = Memory16.Transposed(ref values[Value(row, place + 2, loads)]);
        o.T2 = TFormat.Multiply(o.T2, weights, v.X, v.Y);
        o.T3 = TFormat.Multiply(o.T3, weights, v.Z, v.W);
        v = Memory16.Transposed(ref values[Value(row, place + 4, loads)]);
        o.T4 = TFormat.Multiply(o.T4, weights, v.X, v.Y);
        o.T5 = TFormat.Multiply(o.T5, weights, v.Z, v.W);
        v = Memory16.Transposed(ref values[Value(row, place + 6, loads)]);
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
