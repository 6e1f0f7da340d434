namespace DeRa.Kernels.Cuda;

/// <summary>
/// A warp's sums of 64 lines × 32 rows: letters are tiles of 16 lines, digits tiles of 8 rows. Named fields, because an array indexed by a loop variable
/// would lie in local memory.
/// </summary>
internal struct WarpSums : ITileSums
{
    /// <inheritdoc />
    public static int StoredRows => LinearTile.Size / 2;

    /// <inheritdoc />
    public static int FirstLine => WarpLine + Lane.Line;

    /// <inheritdoc />
    public static int FirstRow => WarpRow + 2 * Lane.Place;

    /// <summary>First line of a warp in its tile: four warps share 64 lines.</summary>
    public static int WarpLine => (Lane.Warp >> 2) * 64;

    /// <summary>First row of a warp in its tile.</summary>
    public static int WarpRow => (Lane.Warp & 3) * 32;

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

    /// <summary>One block: <paramref name="w"/> and <paramref name="x"/> are the shared addresses of this lane's loads of the first line of each operand.</summary>
    public static WarpSums Step<TFormat>(WarpSums sums, int w, int x)
        where TFormat : struct, ITensorFormat
    {
        const int EightLines = 8 * Fragments.BlockBytes;
        Quad x0 = Address.Load(x), x1 = Address.Load(x + EightLines);
        Quad x2 = Address.Load(x + 2 * EightLines), x3 = Address.Load(x + 3 * EightLines);
        Quad upper = Address.Load(w), lower = Address.Load(w + EightLines);
        sums.A0 = Fragments.Step<TFormat>(sums.A0, upper, lower, x0);
        sums.A1 = Fragments.Step<TFormat>(sums.A1, upper, lower, x1);
        sums.A2 = Fragments.Step<TFormat>(sums.A2, upper, lower, x2);
        sums.A3 = Fragments.Step<TFormat>(sums.A3, upper, lower, x3);
        upper = Address.Load(w + 2 * EightLines);
        lower = Address.Load(w + 3 * EightLines);
        sums.B0 = Fragments.Step<TFormat>(sums.B0, upper, lower, x0);
        sums.B1 = Fragments.Step<TFormat>(sums.B1, upper, lower, x1);
        sums.B2 = Fragments.Step<TFormat>(sums.B2, upper, lower, x2);
        sums.B3 = Fragments.Step<TFormat>(sums.B3, upper, lower, x3);
        upper = Address.Load(w + 4 * EightLines);
        lower = Address.Load(w + 5 * EightLines);
        sums.C0 = Fragments.Step<TFormat>(sums.C0, upper, lower, x0);
        sums.C1 = Fragments.Step<TFormat>(sums.C1, upper, lower, x1);
        sums.C2 = Fragments.Step<TFormat>(sums.C2, upper, lower, x2);
        sums.C3 = Fragments.Step<TFormat>(sums.C3, upper, lower, x3);
        upper = Address.Load(w + 6 * EightLines);
        lower = Address.Load(w + 7 * EightLines);
        sums.D0 = Fragments.Step<TFormat>(sums.D0, upper, lower, x0);
        sums.D1 = Fragments.Step<TFormat>(sums.D1, upper, lower, x1);
        sums.D2 = Fragments.Step<TFormat>(sums.D2, upper, lower, x2);
        sums.D3 = Fragments.Step<TFormat>(sums.D3, upper, lower, x3);
        return sums;
    }

    /// <inheritdoc />
    public readonly void Give<TSink>(TSink sink, int line, int row)
        where TSink : struct, ISumsSink
    {
        sink.Take(A0, line, row);
        sink.Take(A1, line, row + 8);
        sink.Take(A2, line, row + 16);
        sink.Take(A3, line, row + 24);
        sink.Take(B0, line + 16, row);
        sink.Take(B1, line + 16, row + 8);
        sink.Take(B2, line + 16, row + 16);
        sink.Take(B3, line + 16, row + 24);
        sink.Take(C0, line + 32, row);
        sink.Take(C1, line + 32, row + 8);
        sink.Take(C2, line + 32, row + 16);
        sink.Take(C3, line + 32, row + 24);
        sink.Take(D0, line + 48, row);
        sink.Take(D1, line + 48, row + 8);
        sink.Take(D2, line + 48, row + 16);
        sink.Take(D3, line + 48, row + 24);
    }
}
