using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

// One row of x, or two: memory sets the pace (docs/decisions/0020 and 0021).
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>Most rows of x that <see cref="RunStreams"/> takes.</summary>
    public const int StreamedRows = 2;

    private const int FewStreams = 4, MostStreams = 8;
    private const int StreamAhead = 4 * 1024; // bytes of each stream
    private const int PageBytes = 4 * 1024; // where the processor's prefetchers stop
    private const int CacheBytes = 32 * 1024; // a first-level cache

    /// <summary>As <see cref="Run"/>; one or two rows read long streams, an equal part of the columns each.</summary>
    public static void RunWhole(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        if (rows > StreamedRows)
        {
            Run(x, rows, w, k, columns, y, yStride);
            return;
        }

        int streams = CountStreams(rows, k), apart = StreamRows(columns, streams, k), streamed = streams * apart;
        RunStreams(x, rows, w, streams, apart, k, apart, y, apart, yStride);
        Run(x, rows, w + (long)streamed * k * TFormat.Size, k, columns - streamed, y + streamed, yStride);
    }

    /// <summary>
    /// Streams of weights that are read side by side: as many as the processor's prefetchers follow well, or twice as many for one row of x that fills half of
    /// the first-level cache: beside the weights that pass through it x would not stay there, and with eight outputs at a time it is read half as often.
    /// </summary>
    public static int CountStreams(int rows, int k) => rows == 1 && k >= CacheBytes / 2 / sizeof(float) ? MostStreams : FewStreams;

    /// <summary>
    /// Weight rows of each stream, and from one to the next; fewer than two for each stream are left over. Eight streams that come to a page's end together
    /// are slower: an odd number of rows apart, they do not wherever the length of a row allows it.
    /// </summary>
    public static int StreamRows(int rows, int streams, int k)
    {
        int longest = rows / streams;
        return streams == MostStreams && longest > 1 && k * TFormat.Size % PageBytes != 0 ? longest - 1 + longest % 2 : longest;
    }

    /// <summary>
    /// Projects rows onto weight rows in several places at once, some in each. Long streams the processor's own prefetchers follow at the memory's full speed;
    /// tiles of neighbouring rows are many short ones.
    /// </summary>
    /// <param name="x">[rows] pointers to arranged rows.</param>
    /// <param name="rows">Rows of x, up to <see cref="StreamedRows"/>.</param>
    /// <param name="w">First weight row of the first stream.</param>
    /// <param name="streams">Streams, as <see cref="CountStreams"/> has it.</param>
    /// <param name="apart">Weight rows from one stream to the next.</param>
    /// <param name="k">Elements of a weight row.</param>
    /// <param name="count">Weight rows of each stream.</param>
    /// <param name="y">Output i of stream s for a row is element row·yStride + s·yApart + i.</param>
    /// <param name="yApart">Floats of y from one stream to the next.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunStreams(float** x, int rows, byte* w, int streams, long apart, int k, int count, float* y, long yApart, long yStride)
    {
        int blocks = k / Arrangement.Block;
        long rowBytes = (long)k * TFormat.Size, distance = apart * rowBytes;
        float* sums = stackalloc float[StreamedRows * MostStreams];
        byte* staged = stackalloc byte[MostStreams * TailBytes];
        byte* tails = k % Arrangement.Block == 0 ? null : staged;
        for (int i = 0; i < count; i++, w += rowBytes)
        {
            if (tails != null)
            {
                StageTails(w, distance, k, streams, tails);
            }

            if (rows == 1)
            {
                PrefetchPages(w + rowBytes, distance, rowBytes, streams);
            }

            StreamTile(rows, x, w, streams, distance, tails, blocks, sums);
            float* from = sums;
            for (int row = 0; row < rows; row++)
            {
                float* to = y + row * yStride + i;
                for (int stream = 0; stream < streams; stream++, to += yApart)
                {
                    *to = *from++;
                }
            }
        }
    }

    private static void StreamTile(int rows, float** x, byte* w, int streams, long distance, byte* tails, int blocks, float* sums)
    {
        switch (rows)
        {
            case 1 when streams == MostStreams && IsWide:
                Tile1x8Wide(x[0], w, distance, tails, blocks, sums);
                break;
            case 1 when streams == MostStreams:
                Tile1x8(x[0], w, distance, tails, blocks, sums);
                break;
            case 1 when IsWide:
                Tile1x4Wide<FarStreams>(x, w, distance, tails, blocks, sums);
                break;
            case 1:
                Tile1x4<FarStreams>(x, w, distance, tails, blocks, sums);
                break;
            case 2 when IsWide:
                Tile2x4Wide<FarStreams>(x, w, distance, tails, blocks, sums, streams);
                break;
            default:
                Tile2x4<FarStreams>(x, w, distance, tails, blocks, sums, streams);
                break;
        }
    }

    /// <summary>
    /// Asks for the beginning of every page that begins in the next weight row of each stream: with it comes the page's address, and the prefetchers, which stop
    /// at a page's end, find the way on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchPages(byte* w, long distance, long rowBytes, int streams)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        for (int stream = 0; stream < streams; stream++, w += distance)
        {
            for (byte* page = (byte*)(((nint)w + PageBytes - 1) & -PageBytes); page < w + rowBytes; page += PageBytes)
            {
                Sse.Prefetch1(page);
            }
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
