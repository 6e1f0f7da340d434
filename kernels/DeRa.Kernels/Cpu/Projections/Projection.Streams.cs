using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

// One row of x, or two: memory sets the pace (docs/decisions/0020 and 0021).
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>Most rows of x that <see cref="RunStreams"/> takes.</summary>
    public const int StreamedRows = 2;

    /// <summary>Streams of weights read side by side where x stays in a first-level cache, and where it does not.</summary>
    public const int FewStreams = 4, MostStreams = 8;

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
        return streams == MostStreams && longest > 1 && k * TFormat.Size % WeightPrefetch.PageBytes != 0 ? longest - 1 + longest % 2 : longest;
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
        byte* staged = stackalloc byte[MostStreams * WeightTails.Bytes];
        byte* tails = k % Arrangement.Block == 0 ? null : staged;
        for (int i = 0; i < count; i++, w += rowBytes)
        {
            if (tails != null)
            {
                StageTails(w, distance, k, streams, tails);
            }

            if (rows == 1)
            {
                WeightPrefetch.Pages(w + rowBytes, distance, rowBytes, streams);
            }

            if (IsWide)
            {
                Tiles<TFormat, SixteenLanes, Vector512<float>>.RunStreams(rows, x, w, streams, distance, tails, blocks, sums);
            }
            else
            {
                Tiles<TFormat, EightLanes, Vector256<float>>.RunStreams(rows, x, w, streams, distance, tails, blocks, sums);
            }

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
}
