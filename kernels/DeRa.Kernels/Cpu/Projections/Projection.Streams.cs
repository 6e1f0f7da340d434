using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

// One row of x: memory sets the pace.
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>Streams of weights that one row of x is multiplied by side by side.</summary>
    public const int Streams = 4;

    /// <summary>As <see cref="Run"/>; a single row reads four long streams, a quarter of the columns each.</summary>
    public static void RunWhole(float** x, int rows, byte* w, int k, int columns, float* y, long yStride)
    {
        if (rows > 1)
        {
            Run(x, rows, w, k, columns, y, yStride);
            return;
        }

        int apart = columns / Streams, streamed = Streams * apart;
        RunStreams(x[0], w, apart, k, apart, y, apart);
        Run(x, 1, w + (long)streamed * k * TFormat.Size, k, columns - streamed, y + streamed, yStride);
    }

    /// <summary>
    /// Projects one row onto weight rows in four places at once, some in each. Long streams the processor's own prefetchers follow at the memory's full speed;
    /// tiles of neighbouring rows are many short ones.
    /// </summary>
    /// <param name="x">The arranged row.</param>
    /// <param name="w">First weight row of the first stream.</param>
    /// <param name="apart">Weight rows from one stream to the next.</param>
    /// <param name="k">Elements of a weight row.</param>
    /// <param name="count">Weight rows of each stream.</param>
    /// <param name="y">Output i of stream s is element s·yApart + i.</param>
    /// <param name="yApart">Floats of y from one stream to the next.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunStreams(float* x, byte* w, long apart, int k, int count, float* y, long yApart)
    {
        int blocks = k / Arrangement.Block;
        long rowBytes = (long)k * TFormat.Size, distance = apart * rowBytes;
        float* sums = stackalloc float[Streams];
        byte* staged = stackalloc byte[Streams * TailBytes];
        byte* tails = k % Arrangement.Block == 0 ? null : staged;
        for (int i = 0; i < count; i++, w += rowBytes)
        {
            if (tails != null)
            {
                StageTails(w, distance, k, Streams, tails);
            }

            if (IsWide)
            {
                Tile1x4Wide<FourStreams>(x, w, distance, tails, blocks, sums);
            }
            else
            {
                Tile1x4<FourStreams>(x, w, distance, tails, blocks, sums);
            }

            y[i] = sums[0];
            y[yApart + i] = sums[1];
            y[2 * yApart + i] = sums[2];
            y[3 * yApart + i] = sums[3];
        }
    }
}
