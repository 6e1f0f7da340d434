using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The tiles of a projection: some rows of x by some outputs, whose sums stay in registers. A last part block comes from staged copies with zeros
/// (tails), read by a second round of the same loop.
/// </summary>
/// <typeparam name="TFormat">Storage type of the weight.</typeparam>
/// <typeparam name="TWidth">Lanes of a vector.</typeparam>
/// <typeparam name="TVector">A vector of so many float32.</typeparam>
internal static unsafe partial class Tiles<TFormat, TWidth, TVector>
    where TFormat : struct, IWeightFormat
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private static int BlockBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * TWidth.Count * TFormat.Size;
    }

    /// <summary>Outputs of a tile of so many rows.</summary>
    public static int Outputs(int rows) => rows <= TWidth.RowsOfFour ? 4 : 3;

    /// <summary>The sums of a tile of neighbouring weight rows.</summary>
    /// <param name="rows">Rows of x, up to four or as many as the width has at most.</param>
    /// <param name="x">[rows] pointers to arranged rows.</param>
    /// <param name="w">First of the weight rows, <see cref="Outputs"/> of them.</param>
    /// <param name="stride">Bytes from a weight row to the next.</param>
    /// <param name="tails">Their <see cref="WeightTails"/>, or null where rows are whole blocks.</param>
    /// <param name="blocks">Whole blocks of a row.</param>
    /// <param name="y">[rows, yStride] the sums.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    public static void Run(int rows, float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        switch (rows)
        {
            case 1:
                Rows1<FourOutputs<TFormat, TWidth, TVector>, OneStream>(x, w, stride, tails, blocks, y);
                break;
            case 2:
                Rows2<FourOutputs<TFormat, TWidth, TVector>, OneStream>(x, w, stride, tails, blocks, y, yStride);
                break;
            case 3 when TWidth.RowsOfFour >= 3:
                Rows3<FourOutputs<TFormat, TWidth, TVector>>(x, w, stride, tails, blocks, y, yStride);
                break;
            case 3:
                Rows3<ThreeOutputs<TFormat, TWidth, TVector>>(x, w, stride, tails, blocks, y, yStride);
                break;
            case 4 when TWidth.RowsOfFour >= 4:
                Rows4<FourOutputs<TFormat, TWidth, TVector>>(x, w, stride, tails, blocks, y, yStride);
                break;
            case 4:
                Rows4<ThreeOutputs<TFormat, TWidth, TVector>>(x, w, stride, tails, blocks, y, yStride);
                break;
            default:
                Rows8<ThreeOutputs<TFormat, TWidth, TVector>>(x, w, stride, tails, blocks, y, yStride);
                break;
        }
    }

    /// <summary>The sums of weight rows far apart, one of each stream.</summary>
    /// <param name="rows">Rows of x: two for <see cref="Projection{TFormat}.FewStreams"/>, one for either number.</param>
    /// <param name="x">[rows] pointers to arranged rows.</param>
    /// <param name="w">The first stream's weight row.</param>
    /// <param name="streams">Streams.</param>
    /// <param name="distance">Bytes from a stream to the next.</param>
    /// <param name="tails">The rows' <see cref="WeightTails"/>, or null where rows are whole blocks.</param>
    /// <param name="blocks">Whole blocks of a row.</param>
    /// <param name="y">[rows, streams] the sums.</param>
    public static void RunStreams(int rows, float** x, byte* w, int streams, long distance, byte* tails, int blocks, float* y)
    {
        if (rows == 2)
        {
            Rows2<FourOutputs<TFormat, TWidth, TVector>, FarStreams>(x, w, distance, tails, blocks, y, streams);
        }
        else if (streams == Projection<TFormat>.MostStreams)
        {
            Rows1Of8(x[0], w, distance, tails, blocks, y);
        }
        else
        {
            Rows1<FourOutputs<TFormat, TWidth, TVector>, FarStreams>(x, w, distance, tails, blocks, y);
        }
    }

    /// <summary>One row of x by one of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* x, byte* w, byte* tail, int blocks)
    {
        TVector sum = default;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes, x += 2 * TWidth.Count)
            {
                sum = TWidth.MultiplyAdd(TWidth.First<TFormat>(w), TWidth.Load(x), sum);
                sum = TWidth.MultiplyAdd(TWidth.Second<TFormat>(w), TWidth.Load(x + TWidth.Count), sum);
            }

            if (tail == null)
            {
                return TWidth.Sum(sum);
            }

            w = tail;
            tail = null;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1<TOutputs, TPath>(float** x, byte* w, long stride, byte* tails, int blocks, float* y)
        where TOutputs : struct, IOutputVectors<TOutputs, TVector>
        where TPath : struct, IWeightPath
    {
        TOutputs a = default;
        float* x0 = x[0];
        byte* next = WeightPrefetch.After(w, TOutputs.Count * stride);
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes)
            {
                next = TPath.IsOneStream ? WeightPrefetch.Lines(next, TOutputs.Count * BlockBytes) : next;
                TOutputs v = TOutputs.First(w, stride);
                a.Add(v, TWidth.Load(x0));
                v = TOutputs.Second(w, stride);
                a.Add(v, TWidth.Load(x0 + TWidth.Count));
                x0 += 2 * TWidth.Count;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            stride = WeightTails.Bytes;
            tails = null;
        }

        a.Store(y);
    }

    // One row by eight outputs: weights are widened one at a time, because eight sums and as many vectors of weights would not fit into sixteen registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Of8(float* x, byte* w, long stride, byte* tails, int blocks, float* y)
    {
        FourOutputs<TFormat, TWidth, TVector> a = default, b = default;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes, x += 2 * TWidth.Count)
            {
                TVector p = TWidth.Load(x);
                a.Add(FourOutputs<TFormat, TWidth, TVector>.First(w, stride), p);
                b.Add(FourOutputs<TFormat, TWidth, TVector>.First(w + 4 * stride, stride), p);
                p = TWidth.Load(x + TWidth.Count);
                a.Add(FourOutputs<TFormat, TWidth, TVector>.Second(w, stride), p);
                b.Add(FourOutputs<TFormat, TWidth, TVector>.Second(w + 4 * stride, stride), p);
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            stride = WeightTails.Bytes;
            tails = null;
        }

        a.Store(y);
        b.Store(y + 4);
    }
}
