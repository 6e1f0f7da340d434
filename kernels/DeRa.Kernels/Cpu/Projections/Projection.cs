using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// y[r, j] = Σ_k x[r, k]·w[j, k] for a panel of output-major weight rows. Same bits for any number of rows and any place in a panel: every tile gives
/// each output one accumulator of a vector's lanes that takes the first half of each block of two vectors, then the second. Tiling decides which outputs
/// share a load and never touches the order.
/// Bound: reads the panel once from memory for the first rows and from the second-level cache for the others; from about eight rows on FMA throughput.
/// </summary>
/// <typeparam name="TFormat">Storage type of the weight.</typeparam>
internal static unsafe partial class Projection<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Most weight rows of a panel: they stay in the second-level cache while all rows of x pass over them; a multiple of every tile.</summary>
    public const int PanelRows = 48;

    private static bool IsWide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Arrangement.Block == 32;
    }

    /// <summary>Projects <paramref name="rows"/> rows onto <paramref name="columns"/> weight rows, panel by panel.</summary>
    /// <param name="x">[rows] pointers to arranged rows (see <see cref="Arrangement"/>).</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="w">First weight row; rows follow without gaps.</param>
    /// <param name="k">Elements of a weight row.</param>
    /// <param name="columns">Weight rows.</param>
    /// <param name="y">[rows, yStride] results.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        for (int panel = 0; panel < columns; panel += PanelRows)
        {
            Panel(x, rows, w + (long)panel * k * TFormat.Size, k, Math.Min(PanelRows, columns - panel), y + panel, yStride);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        byte* staged = stackalloc byte[PanelRows * WeightTails.Bytes];
        byte* tails = k % Arrangement.Block == 0 ? null : staged;
        if (tails != null)
        {
            StageTails(w, (long)k * TFormat.Size, k, columns, tails);
        }

        if (IsWide)
        {
            Panel<SixteenLanes, Vector512<float>>(x, rows, w, k, tails, columns, y, yStride);
        }
        else
        {
            Panel<EightLanes, Vector256<float>>(x, rows, w, k, tails, columns, y, yStride);
        }
    }

    private static void Panel<TWidth, TVector>(float** x, int rows, byte* w, int k, byte* tails, int columns, float* y, long yStride)
        where TWidth : struct, IVectorWidth<TVector>
        where TVector : struct
    {
        for (int row = 0, count; row < rows; row += count)
        {
            count = rows - row >= TWidth.MostRows ? TWidth.MostRows : Math.Min(4, rows - row);
            Rows<TWidth, TVector>(count, x + row, w, k, tails, columns, y + row * yStride, yStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows<TWidth, TVector>(int rows, float** x, byte* w, int k, byte* tails, int columns, float* y, long yStride)
        where TWidth : struct, IVectorWidth<TVector>
        where TVector : struct
    {
        int width = Tiles<TFormat, TWidth, TVector>.Outputs(rows), blocks = k / Arrangement.Block, column = 0;
        long stride = (long)k * TFormat.Size;
        for (; column + width <= columns; column += width)
        {
            Tiles<TFormat, TWidth, TVector>.Run(
                rows, x, w + column * stride, stride, tails == null ? null : tails + column * WeightTails.Bytes, blocks, y + column, yStride);
        }

        for (; column < columns; column++)
        {
            byte* tail = tails == null ? null : tails + column * WeightTails.Bytes;
            for (int row = 0; row < rows; row++)
            {
                y[row * yStride + column] = Tiles<TFormat, TWidth, TVector>.Dot(x[row], w + column * stride, tail, blocks);
            }
        }
    }

    // Rows lie stride bytes apart.
    private static void StageTails(byte* w, long stride, int k, int rows, byte* tails) =>
        WeightTails.Stage(w, stride, (long)k * TFormat.Size, k % Arrangement.Block * TFormat.Size, rows, tails);
}
