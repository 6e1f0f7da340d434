using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Scores of a head that two warps share: each has the products of its own elements, and adds the other's. Both add the same two numbers, so they go on
/// with the same scores. A lane's numbers are those of the same lane of the other warp; [warp, tile, lane] without bank conflicts.
/// </summary>
internal static class ScoreExchange
{
    /// <summary>Sixteen-byte units of both warps.</summary>
    public const int Quads = 2 * WarpQuads;

    private const int Tiles = 8, WarpQuads = Tiles * EmulatedWarp.Size;

    /// <summary>Leaves a warp's scores for the other.</summary>
    public static void Bring(ArrayView<Quad> memory, int warp, Sums8 s)
    {
        int at = warp * WarpQuads + Lane.Index;
        memory[at] = Bits(s.T0);
        memory[at + EmulatedWarp.Size] = Bits(s.T1);
        memory[at + 2 * EmulatedWarp.Size] = Bits(s.T2);
        memory[at + 3 * EmulatedWarp.Size] = Bits(s.T3);
        memory[at + 4 * EmulatedWarp.Size] = Bits(s.T4);
        memory[at + 5 * EmulatedWarp.Size] = Bits(s.T5);
        memory[at + 6 * EmulatedWarp.Size] = Bits(s.T6);
        memory[at + 7 * EmulatedWarp.Size] = Bits(s.T7);
    }

    /// <summary>A warp's scores and the other's.</summary>
    public static Sums8 Add(ArrayView<Quad> memory, int warp, Sums8 s)
    {
        int at = (1 - warp) * WarpQuads + Lane.Index;
        s.T0 = Add(s.T0, memory, at);
        s.T1 = Add(s.T1, memory, at + EmulatedWarp.Size);
        s.T2 = Add(s.T2, memory, at + 2 * EmulatedWarp.Size);
        s.T3 = Add(s.T3, memory, at + 3 * EmulatedWarp.Size);
        s.T4 = Add(s.T4, memory, at + 4 * EmulatedWarp.Size);
        s.T5 = Add(s.T5, memory, at + 5 * EmulatedWarp.Size);
        s.T6 = Add(s.T6, memory, at + 6 * EmulatedWarp.Size);
        s.T7 = Add(s.T7, memory, at + 7 * EmulatedWarp.Size);
        return s;
    }

    private static Sums Add(Sums s, ArrayView<Quad> memory, int at)
    {
        Quad other = Memory16.Shared(ref memory[at]);
        return Sums.Add(s, new()
        {
            A = Interop.IntAsFloat(other.X),
            B = Interop.IntAsFloat(other.Y),
            C = Interop.IntAsFloat(other.Z),
            D = Interop.IntAsFloat(other.W),
        });
    }

    private static Quad Bits(Sums s) => new()
    {
        X = Interop.FloatAsInt(s.A),
        Y = Interop.FloatAsInt(s.B),
        Z = Interop.FloatAsInt(s.C),
        W = Interop.FloatAsInt(s.D),
    };
}
