using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

// One row of x, or two: memory sets the pace.
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>Streams of weights that are read side by side.</summary>
    public const int Streams = 4;

    /// <summary>Most rows of x that <see cref="RunStreams"/> takes.</summary>
    public const int StreamedRows = 2;

    private const int StreamAhead = 4 * 1024; // bytes of each stream

    /// <summary>As <see cref="Run"/>; one or two rows read four long streams, a quarter of the columns each.</summary>
    public static void RunWhole(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        int apart = rows > StreamedRows ? 0 : columns / Streams, streamed = Streams * apart;
        RunStreams(x, rows, w, apart, k, apart, y, apart, yStride);
        Run(x, rows, w + (long)streamed * k * TFormat.Size, k, columns - streamed, y + streamed, yStride);
    }

    /// <summary>
    /// Projects rows onto weight rows in four places at once, some in each. Long streams the processor's own prefetchers follow at the memory's full speed;
    /// tiles of neighbouring rows are many short ones.
    /// </summary>
    /// <param name="x">[rows] pointers to arranged rows.</param>
    /// <param name="rows">Rows of x, up to <see cref="StreamedRows"/>.</param>
    /// <param name="w">First weight row of the first stream.</param>
    /// <param name="apart">Weight rows from one stream to the next.</param>
    /// <param name="k">Elements of a weight row.</param>
    /// <param name="count">Weight rows of each stream.</param>
    /// <param name="y">Output i of stream s for a row is element row·yStride + s·yApart + i.</param>
    /// <param name="yApart">Floats of y from one stream to the next.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunStreams(float** x, int rows, byte* w, long apart, int k, int count, float* y, long yApart, long yStride)
    {
        int blocks = k / Arrangement.Block;
        long rowBytes = (long)k * TFormat.Size, distance = apart * rowBytes;
        float* sums = stackalloc float[StreamedRows * Streams];
        byte* staged = stackalloc byte[Streams * TailBytes];
        byte* tails = k % Arrangement.Block == 0 ? null : staged;
        for (int i = 0; i < count; i++, w += rowBytes)
        {
            if (tails != null)
            {
                StageTails(w, distance, k, Streams, tails);
            }

            StreamTile(rows, x, w, distance, tails, blocks, sums);
            for (int row = 0; row < rows; row++)
            {
                float* from = sums + row * Streams, to = y + row * yStride + i;
                to[0] = from[0];
                to[yApart] = from[1];
                to[2 * yApart] = from[2];
                to[3 * yApart] = from[3];
            }
        }
    }

    private static void StreamTile(int rows, float** x, byte* w, long distance, byte* tails, int blocks, float* sums)
    {
        switch (rows)
        {
            case 1 when IsWide:
                Tile1x4Wide<FourStreams>(x, w, distance, tails, blocks, sums);
                break;
            case 1:
                Tile1x4<FourStreams>(x, w, distance, tails, blocks, sums);
                break;
            case 2 when IsWide:
                Tile2x4Wide<FourStreams>(x, w, distance, tails, blocks, sums, Streams);
                break;
            default:
                Tile2x4<FourStreams>(x, w, distance, tails, blocks, sums, Streams);
                break;
        }
    }

    /// <summary>Asks for a line ahead in each stream: with two rows there is too much to compute for the processor to look ahead far enough by itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchStreams(byte* first, byte* second, byte* third, byte* fourth)
    {
        Prefetch(first + StreamAhead, BlockBytes);
        Prefetch(second + StreamAhead, BlockBytes);
        Prefetch(third + StreamAhead, BlockBytes);
        Prefetch(fourth + StreamAhead, BlockBytes);
    }
}
