using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// The one reduction order of every tensor-core projection. Thirty-two inputs are a block: of each row, lane t of the four that share the row holds
/// the eight inputs 8t … 8t + 7, one 16-byte load whether from device or from shared memory. The block takes two mma of sixteen inputs; the
/// first multiplies the inputs 8t … 8t + 3 of every t, the second 8t + 4 … 8t + 7. Weights and activations are permuted alike, so the sum is that of
/// the block, and no ldmatrix or swizzle is needed: eight rows of a block are 512 consecutive bytes of shared memory.
/// </summary>
internal static class Fragments
{
    /// <summary>Inputs of a block.</summary>
    public const int Block = 32;

    /// <summary>Inputs of a 16-byte load.</summary>
    public const int Load = 8;

    /// <summary>Bytes of a load, and of a block's inputs in a line.</summary>
    public const int LoadBytes = Load * sizeof(ushort), BlockBytes = Block * sizeof(ushort);

    /// <summary>Sixteen-byte loads of a row in a block.</summary>
    public const int Loads = Block / Load;

    /// <summary>Outputs of a warp's tile: the rows of A.</summary>
    public const int Outputs = 16;

    /// <summary>Activation rows of a warp's tile: the columns of B.</summary>
    public const int Rows = 8;

    /// <summary>c + one block for 16 outputs and 8 rows: weights of outputs g and g + 8, activations of row g.</summary>
    public static Sums Step<TFormat>(Sums c, Quad upper, Quad lower, Quad x)
        where TFormat : struct, ITensorFormat
    {
        c = TFormat.Multiply(c, new Quad { X = upper.X, Y = lower.X, Z = upper.Y, W = lower.Y }, x.X, x.Y);
        return TFormat.Multiply(c, new Quad { X = upper.Z, Y = lower.Z, Z = upper.W, W = lower.W }, x.Z, x.W);
    }

    /// <summary>Elements of a row of weights, or of rounded activations: whole loads, zeros behind the inputs.</summary>
    public static int Padded(int inputs) => (inputs + Load - 1) / Load * Load;

    /// <summary>Eight activations rounded to the weight's type.</summary>
    public static Quad Round<TFormat>(Eight x)
        where TFormat : struct, ITensorFormat => new()
        {
            X = TFormat.Pair(x.A, x.B),
            Y = TFormat.Pair(x.C, x.D),
            Z = TFormat.Pair(x.E, x.F),
            W = TFormat.Pair(x.G, x.H),
        };

    /// <summary>Eight activations of a row from input <paramref name="k"/> on, rounded to the weight's type; zeros past the row's end.</summary>
    public static Quad Round<TFormat>(MatrixView x, int row, int k)
        where TFormat : struct, ITensorFormat
    {
        long first = x.Row(row);
        return k + Load <= x.Columns ? Round<TFormat>(WeightEight.Activations(ref x.Data[first + k])) : Rest<TFormat>(x, first, k);
    }

    /// <summary>Element of a staged block of <paramref name="lines"/> rows that holds load <paramref name="place"/> of a row.</summary>
    public static int Staged(int block, int line, int place, int lines) => (block * lines + line) * Loads + place;

    // The end of a row whose length is no multiple of eight, from the last input on: each moves those after it up. In few registers, since it is rare.
    private static Quad Rest<TFormat>(MatrixView x, long first, int k)
        where TFormat : struct, ITensorFormat
    {
        Quad rest = default;
        for (int i = x.Columns - 1; i >= k; i--)
        {
            rest.W = (rest.W << 16) | (rest.Z >> 16);
            rest.Z = (rest.Z << 16) | (rest.Y >> 16);
            rest.Y = (rest.Y << 16) | (rest.X >> 16);
            rest.X = (rest.X << 16) | TFormat.Pair(x.Data[first + i], 0);
        }

        return rest;
    }

    /// <summary>16 where input <paramref name="k"/> exists, 0 past the end: without a branch, for which ILGPU would copy what follows.</summary>
    public static int Bytes(int k, int depth) => 16 * IntrinsicMath.Clamp(depth - k, 0, 1);
}
