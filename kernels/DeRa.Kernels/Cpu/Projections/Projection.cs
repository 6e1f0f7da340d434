using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// y[r, j] = Σ_k x[r, k]·w[j, k] for a panel of output-major weight rows. Same bits for any number of rows and any place in a panel.
/// Bound: reads the panel once from memory for the first four rows and from the second-level cache for the others.
/// </summary>
/// <typeparam name="TFormat">Storage type of the weight.</typeparam>
internal static unsafe partial class Projection<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Most weight rows of a panel: they stay in the second-level cache while all rows of x pass over them; a multiple of every tile.</summary>
    public const int PanelRows = 48;

    /// <summary>Projects <paramref name="rows"/> rows onto <paramref name="columns"/> weight rows, panel by panel.</summary>
    /// <param name="x">[rows] pointers to arranged rows (see <see cref="Arrangement"/>).</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="w">First weight row; rows follow without gaps.</param>
    /// <param name="k">Elements of a weight row.</param>
    /// <param name="columns">Weight rows.</param>
    /// <param name="y">[rows, yStride] results.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    public static void Run(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        for (int panel = 0; panel < columns; panel += PanelRows)
        {
            Panel(x, rows, w + (long)panel * k * TFormat.Size, k, Math.Min(PanelRows, columns - panel), y + panel, yStride);
        }
    }

    [SkipLocalsInit]
    private static void Panel(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        byte* staged = stackalloc byte[PanelRows * TailBytes];
        byte* tails = k % 16 == 0 ? null : staged;
        long stride = (long)k * TFormat.Size;
        if (tails != null)
        {
            StageTails(w, k, columns, tails);
        }

        int row = 0;
        for (; row + 4 <= rows; row += 4)
        {
            Rows(4, x + row, w, stride, tails, k / 16, columns, y + row * yStride, yStride);
        }

        if (row < rows)
        {
            Rows(rows - row, x + row, w, stride, tails, k / 16, columns, y + row * yStride, yStride);
        }
    }

    private static void Rows(
        int rows, float** x, byte* w, long stride, byte* tails, int blocks, int columns, float* y, long yStride)
    {
        int width = rows > 2 ? 3 : 4, column = 0;
        for (; column + width <= columns; column += width)
        {
            byte* first = w + column * stride, tail = tails == null ? null : tails + column * TailBytes;
            switch (rows)
            {
                case 1:
                    Tile1x4(x, first, stride, tail, blocks, y + column, yStride);
                    break;
                case 2:
                    Tile2x4(x, first, stride, tail, blocks, y + column, yStride);
                    break;
                case 3:
                    Tile3x3(x, first, stride, tail, blocks, y + column, yStride);
                    break;
                default:
                    Tile4x3(x, first, stride, tail, blocks, y + column, yStride);
                    break;
            }
        }

        for (; column < columns; column++)
        {
            for (int row = 0; row < rows; row++)
            {
                byte* tail = tails == null ? null : tails + column * TailBytes;
                Dot1x1(x + row, w + column * stride, stride, tail, blocks, y + row * yStride + column, yStride);
            }
        }
    }

    /// <summary>Copies what is left of each weight row past the last whole block, with zeros behind: nothing past the weight's end is read.</summary>
    private static void StageTails(byte* w, int k, int columns, byte* tails)
    {
        int rest = k % 16 * TFormat.Size;
        long stride = (long)k * TFormat.Size;
        for (int column = 0; column < columns; column++)
        {
            byte* tail = tails + column * TailBytes;
            Unsafe.InitBlockUnaligned(tail, 0, TailBytes);
            Unsafe.CopyBlockUnaligned(tail, w + column * stride + stride - rest, (uint)rest);
        }
    }
}
