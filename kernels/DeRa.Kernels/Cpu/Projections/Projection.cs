using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    // The panel is one stream to memory, whatever rows of it a tile reads side by side: lines are asked for in order, this far ahead of the next
    // tile, into the second-level cache. Measured: 24–29 GB/s, where asking for the same column of the next tile gave 17–25 (docs/decisions/0013).
    private const int PrefetchAhead = 32 * 1024;

    private const int TailBytes = 128; // a block of the widest format

    private static bool IsWide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Arrangement.Block == 32;
    }

    private static int BlockBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Arrangement.Block * TFormat.Size;
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
        byte* staged = stackalloc byte[PanelRows * TailBytes];
        byte* tails = k % Arrangement.Block == 0 ? null : staged;
        if (tails != null)
        {
            StageTails(w, (long)k * TFormat.Size, k, columns, tails);
        }

        for (int row = 0, count; row < rows; row += count)
        {
            count = IsWide && rows - row >= 8 ? 8 : Math.Min(4, rows - row);
            Rows(count, x + row, w, k, tails, columns, y + row * yStride, yStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows(int rows, float** x, byte* w, int k, byte* tails, int columns, float* y, long yStride)
    {
        int width = rows <= 2 || (IsWide && rows <= 4) ? 4 : 3, blocks = k / Arrangement.Block, column = 0;
        long stride = (long)k * TFormat.Size;
        for (; column + width <= columns; column += width)
        {
            byte* first = w + column * stride, tail = tails == null ? null : tails + column * TailBytes;
            if (IsWide)
            {
                WideTile(rows, x, first, stride, tail, blocks, y + column, yStride);
            }
            else
            {
                Tile(rows, x, first, stride, tail, blocks, y + column, yStride);
            }
        }

        for (; column < columns; column++)
        {
            byte* tail = tails == null ? null : tails + column * TailBytes;
            for (int row = 0; row < rows; row++)
            {
                float* first = x[row];
                y[row * yStride + column] = IsWide ? WideDot(first, w + column * stride, tail, blocks) : Dot(first, w + column * stride, tail, blocks);
            }
        }
    }

    private static void Tile(int rows, float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        switch (rows)
        {
            case 1:
                Tile1x4<OneStream>(x, w, stride, tails, blocks, y);
                break;
            case 2:
                Tile2x4<OneStream>(x, w, stride, tails, blocks, y, yStride);
                break;
            case 3:
                Tile3x3(x, w, stride, tails, blocks, y, yStride);
                break;
            default:
                Tile4x3(x, w, stride, tails, blocks, y, yStride);
                break;
        }
    }

    private static void WideTile(int rows, float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        switch (rows)
        {
            case 1:
                Tile1x4Wide<OneStream>(x, w, stride, tails, blocks, y);
                break;
            case 2:
                Tile2x4Wide<OneStream>(x, w, stride, tails, blocks, y, yStride);
                break;
            case 3:
                Tile3x4Wide(x, w, stride, tails, blocks, y, yStride);
                break;
            case 4:
                Tile4x4Wide(x, w, stride, tails, blocks, y, yStride);
                break;
            default:
                Tile8x3Wide(x, w, stride, tails, blocks, y, yStride);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* x, byte* w, byte* tail, int blocks)
    {
        Vector256<float> sum = default;
        for (; blocks > 0; blocks--, w += BlockBytes, x += Arrangement.Block)
        {
            sum = Lanes.MultiplyAdd(TFormat.First(w), Vector256.Load(x), sum);
            sum = Lanes.MultiplyAdd(TFormat.Second(w), Vector256.Load(x + 8), sum);
        }

        if (tail != null)
        {
            sum = Lanes.MultiplyAdd(TFormat.First(tail), Vector256.Load(x), sum);
            sum = Lanes.MultiplyAdd(TFormat.Second(tail), Vector256.Load(x + 8), sum);
        }

        return Lanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float WideDot(float* x, byte* w, byte* tail, int blocks)
    {
        Vector512<float> sum = default;
        for (; blocks > 0; blocks--, w += BlockBytes, x += Arrangement.Block)
        {
            sum = Lanes.MultiplyAdd(TFormat.First512(w), Vector512.Load(x), sum);
            sum = Lanes.MultiplyAdd(TFormat.Second512(w), Vector512.Load(x + 16), sum);
        }

        if (tail != null)
        {
            sum = Lanes.MultiplyAdd(TFormat.First512(tail), Vector512.Load(x), sum);
            sum = Lanes.MultiplyAdd(TFormat.Second512(tail), Vector512.Load(x + 16), sum);
        }

        return Lanes.Sum(sum);
    }

    /// <summary>
    /// Copies what is left of each weight row past the last whole block, with zeros behind: nothing past the weight's end is read. Rows lie stride bytes apart.
    /// </summary>
    private static void StageTails(byte* w, long stride, int k, int columns, byte* tails)
    {
        int rest = k % Arrangement.Block * TFormat.Size;
        long rowBytes = (long)k * TFormat.Size;
        for (int column = 0; column < columns; column++)
        {
            byte* tail = tails + column * TailBytes;
            Unsafe.InitBlockUnaligned(tail, 0, TailBytes);
            Unsafe.CopyBlockUnaligned(tail, w + column * stride + rowBytes - rest, (uint)rest);
        }
    }

    /// <summary>Asks for the lines of [address, address + bytes) and returns its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Prefetch(byte* address, int bytes)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(address);
            if (bytes > 64)
            {
                Sse.Prefetch1(address + 64);
            }

            if (bytes > 128)
            {
                Sse.Prefetch1(address + 128);
            }

            if (bytes > 192)
            {
                Sse.Prefetch1(address + 192);
            }

            if (bytes > 256)
            {
                Sse.Prefetch1(address + 256);
                Sse.Prefetch1(address + 320);
                Sse.Prefetch1(address + 384);
                Sse.Prefetch1(address + 448);
            }
        }

        return address + bytes;
    }
}
