using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A warp's sums of 64 lines × 32 rows: letters are tiles of 16 lines, digits tiles of 8 rows. Named fields, because an array indexed by a loop variable
/// would lie in local memory.
/// </summary>
internal struct WarpSums
{
    public Sums A0;
    public Sums A1;
    public Sums A2;
    public Sums A3;
    public Sums B0;
    public Sums B1;
    public Sums B2;
    public Sums B3;
    public Sums C0;
    public Sums C1;
    public Sums C2;
    public Sums C3;
    public Sums D0;
    public Sums D1;
    public Sums D2;
    public Sums D3;

    public static WarpSums Add(WarpSums to, WarpSums more) => new()
    {
        A0 = Sums.Add(to.A0, more.A0),
        A1 = Sums.Add(to.A1, more.A1),
        A2 = Sums.Add(to.A2, more.A2),
        A3 = Sums.Add(to.A3, more.A3),
        B0 = Sums.Add(to.B0, more.B0),
        B1 = Sums.Add(to.B1, more.B1),
        B2 = Sums.Add(to.B2, more.B2),
        B3 = Sums.Add(to.B3, more.B3),
        C0 = Sums.Add(to.C0, more.C0),
        C1 = Sums.Add(to.C1, more.C1),
        C2 = Sums.Add(to.C2, more.C2),
        C3 = Sums.Add(to.C3, more.C3),
        D0 = Sums.Add(to.D0, more.D0),
        D1 = Sums.Add(to.D1, more.D1),
        D2 = Sums.Add(to.D2, more.D2),
        D3 = Sums.Add(to.D3, more.D3),
    };

    /// <summary>One block: <paramref name="w"/> and <paramref name="x"/> are this lane's loads of the first line of each operand.</summary>
    public static WarpSums Step<TFormat>(WarpSums sums, ArrayView<Quad> memory, int w, int x, int eightLines)
        where TFormat : struct, ITensorFormat
    {
        Quad x0 = Memory16.Shared(ref memory[x]), x1 = Memory16.Shared(ref memory[x + eightLines]);
        Quad x2 = Memory16.Shared(ref memory[x + 2 * eightLines]), x3 = Memory16.Shared(ref memory[x + 3 * eightLines]);
        Quad upper = Memory16.Shared(ref memory[w]),
            lower = Memory16.Shared(ref memory[w + eightLines]);
        sums.A0 = Fragments.Step<TFormat>(sums.A0, upper, lower, x0);
        sums.A1 = Fragments.Step<TFormat>(sums.A1, upper, lower, x1);
        sums.A2 = Fragments.Step<TFormat>(sums.A2, upper, lower, x2);
        sums.A3 = Fragments.Step<TFormat>(sums.A3, upper, lower, x3);
        upper = Memory16.Shared(ref memory[w + 2 * eightLines]);
        lower = Memory16.Shared(ref memory[w + 3 * eightLines]);
        sums.B0 = Fragments.Step<TFormat>(sums.B0, upper, lower, x0);
        sums.B1 = Fragments.Step<TFormat>(sums.B1, upper, lower, x1);
        sums.B2 = Fragments.Step<TFormat>(sums.B2, upper, lower, x2);
        sums.B3 = Fragments.Step<TFormat>(sums.B3, upper, lower, x3);
        upper = Memory16.Shared(ref memory[w + 4 * eightLines]);
        lower = Memory16.Shared(ref memory[w + 5 * eightLines]);
        sums.C0 = Fragments.Step<TFormat>(sums.C0, upper, lower, x0);
        sums.C1 = Fragments.Step<TFormat>(sums.C1, upper, lower, x1);
        sums.C2 = Fragments.Step<TFormat>(sums.C2, upper, lower, x2);
        sums.C3 = Fragments.Step<TFormat>(sums.C3, upper, lower, x3);
        upper = Memory16.Shared(ref memory[w + 6 * eightLines]);
        lower = Memory16.Shared(ref memory[w + 7 * eightLines]);
        sums.D0 = Fragments.Step<TFormat>(sums.D0, upper, lower, x0);
        sums.D1 = Fragments.Step<TFormat>(sums.D1, upper, lower, x1);
        sums.D2 = Fragments.Step<TFormat>(sums.D2, upper, lower, x2);
        sums.D3 = Fragments.Step<TFormat>(sums.D3, upper, lower, x3);
        return sums;
    }

    /// <summary>Finishes all elements; <paramref name="line"/> and <paramref name="row"/> are this lane's first.</summary>
    public readonly void Finish(TensorLinearArgs args, LinearPart part, int line, int row)
    {
        args.Finish(part, A0, line, row);
        args.Finish(part, A1, line, row + 8);
        args.Finish(part, A2, line, row + 16);
        args.Finish(part, A3, line, row + 24);
        args.Finish(part, B0, line + 16, row);
        args.Finish(part, B1, line + 16, row + 8);
        args.Finish(part, B2, line + 16, row + 16);
        args.Finish(part, B3, line + 16, row + 24);
        args.Finish(part, C0, line + 32, row);
        args.Finish(part, C1, line + 32, row + 8);
        args.Finish(part, C2, line + 32, row + 16);
        args.Finish(part, C3, line + 32, row + 24);
        args.Finish(part, D0, line + 48, row);
        args.Finish(part, D1, line + 48, row + 8);
        args.Finish(part, D2, line + 48, row + 16);
        args.Finish(part, D3, line + 48, row + 24);
    }

    /// <summary>Keeps all elements as the partial sums of a segment.</summary>
    public readonly void Keep(TensorLinearArgs args, LinearPart part, int segment, int line, int row)
    {
        args.Keep(part, A0, segment, line, row);
        args.Keep(part, A1, segment, line, row + 8);
        args.Keep(part, A2, segment, line, row + 16);
        args.Keep(part, A3, segment, line, row + 24);
        args.Keep(part, B0, segment, line + 16, row);
        args.Keep(part, B1, segment, line + 16, row + 8);
        args.Keep(part, B2, segment, line + 16, row + 16);
        args.Keep(part, B3, segment, line + 16, row + 24);
        args.Keep(part, C0, segment, line + 32, row);
        args.Keep(part, C1, segment, line + 32, row + 8);
        args.Keep(part, C2, segment, line + 32, row + 16);
        args.Keep(part, C3, segment, line + 32, row + 24);
        args.Keep(part, D0, segment, line + 48, row);
        args.Keep(part, D1, segment, line + 48, row + 8);
        args.Keep(part, D2, segment, line + 48, row + 16);
        args.Keep(part, D3, segment, line + 48, row + 24);
    }

    /// <summary>Writes all elements to shared memory, rows <paramref name="stride"/> apart.</summary>
    public readonly void Store(ArrayView<float> tile, int stride, int line, int row)
    {
        A0.Store(tile, row * stride + line, stride);
        A1.Store(tile, (row + 8) * stride + line, stride);
        A2.Store(tile, (row + 16) * stride + line, stride);
        A3.Store(tile, (row + 24) * stride + line, stride);
        B0.Store(tile, row * stride + line + 16, stride);
        B1.Store(tile, (row + 8) * stride + line + 16, stride);
        B2.Store(tile, (row + 16) * stride + line + 16, stride);
        B3.Store(tile, (row + 24) * stride + line + 16, stride);
        C0.Store(tile, row * stride + line + 32, stride);
        C1.Store(tile, (row + 8) * stride + line + 32, stride);
        C2.Store(tile, (row + 16) * stride + line + 32, stride);
        C3.Store(tile, (row + 24) * stride + line + 32, stride);
        D0.Store(tile, row * stride + line + 48, stride);
        D1.Store(tile, (row + 8) * stride + line + 48, stride);
        D2.Store(tile, (row + 16) * stride + line + 48, stride);
        D3.Store(tile, (row + 24) * stride + line + 48, stride);
    }
}
