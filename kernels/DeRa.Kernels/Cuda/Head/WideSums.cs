using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A warp's sums of 2 × 16 outputs × 64 rows: A and B are tiles of 16 outputs, 64 apart in the vocabulary; digits are tiles of 8 rows.
/// </summary>
internal struct WideSums
{
    /// <summary>Rows.</summary>
    public const int Rows = 8 * Fragments.Rows;

    public Sums A0;
    public Sums A1;
    public Sums A2;
    public Sums A3;
    public Sums A4;
    public Sums A5;
    public Sums A6;
    public Sums A7;
    public Sums B0;
    public Sums B1;
    public Sums B2;
    public Sums B3;
    public Sums B4;
    public Sums B5;
    public Sums B6;
    public Sums B7;

    /// <summary>One block: this lane's weights of both tiles, and <paramref name="x"/>, its load of the block's first activation row.</summary>
    public static WideSums Step<TFormat>(WideSums sums, Quad upperA, Quad lowerA, Quad upperB, Quad lowerB, ArrayView<Quad> staged, int x)
        where TFormat : struct, ITensorFormat
    {
        const int EightRows = Fragments.Rows * Fragments.Loads;
        Quad row = Memory16.Shared(ref staged[x]);
        sums.A0 = Fragments.Step<TFormat>(sums.A0, upperA, lowerA, row);
        sums.B0 = Fragments.Step<TFormat>(sums.B0, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + EightRows]);
        sums.A1 = Fragments.Step<TFormat>(sums.A1, upperA, lowerA, row);
        sums.B1 = Fragments.Step<TFormat>(sums.B1, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + 2 * EightRows]);
        sums.A2 = Fragments.Step<TFormat>(sums.A2, upperA, lowerA, row);
        sums.B2 = Fragments.Step<TFormat>(sums.B2, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + 3 * EightRows]);
        sums.A3 = Fragments.Step<TFormat>(sums.A3, upperA, lowerA, row);
        sums.B3 = Fragments.Step<TFormat>(sums.B3, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + 4 * EightRows]);
        sums.A4 = Fragments.Step<TFormat>(sums.A4, upperA, lowerA, row);
        sums.B4 = Fragments.Step<TFormat>(sums.B4, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + 5 * EightRows]);
        sums.A5 = Fragments.Step<TFormat>(sums.A5, upperA, lowerA, row);
        sums.B5 = Fragments.Step<TFormat>(sums.B5, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + 6 * EightRows]);
        sums.A6 = Fragments.Step<TFormat>(sums.A6, upperA, lowerA, row);
        sums.B6 = Fragments.Step<TFormat>(sums.B6, upperB, lowerB, row);
        row = Memory16.Shared(ref staged[x + 7 * EightRows]);
        sums.A7 = Fragments.Step<TFormat>(sums.A7, upperA, lowerA, row);
        sums.B7 = Fragments.Step<TFormat>(sums.B7, upperB, lowerB, row);
        return sums;
    }

    /// <summary>The sums of rows 16·<paramref name="block"/> … + 15 as logits in shared memory.</summary>
    /// <param name="block">0 … 3, the same for the whole group: a choice of registers, not an index.</param>
    /// <param name="target">[16, stride].</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="output">This lane's first output of A; B's is half a row further.</param>
    public readonly void Store(int block, ArrayView<float> target, int stride, int output)
    {
        int at = 2 * Lane.Place * stride + output, lower = at + Fragments.Rows * stride, half = stride / 2;
        Pick(block, A0, A2, A4, A6).Store(target, at, stride);
        Pick(block, A1, A3, A5, A7).Store(target, lower, stride);
        Pick(block, B0, B2, B4, B6).Store(target, at + half, stride);
        Pick(block, B1, B3, B5, B7).Store(target, lower + half, stride);
    }

    private static Sums Pick(int block, Sums first, Sums second, Sums third, Sums fourth) =>
        block == 0 ? first : block == 1 ? second : block == 2 ? third : fourth;
}
