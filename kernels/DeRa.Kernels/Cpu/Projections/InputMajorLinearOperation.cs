using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Linear over an input-major weight (GPT-2's Conv1D: memory holds [K, N]). Lanes are outputs, so no lane is ever summed with another: each output
/// takes k = 0, 1, 2, … in turn, whatever the number of rows. Workers take columns of outputs. Bound: as for output-major weights.
/// </summary>
internal unsafe struct InputMajorLinearOperation<TFormat>(LinearShape shape) : IOperation<InputMajorLinearOperation<TFormat>>
    where TFormat : unmanaged, IWeightFormat
{
    /// <summary>Outputs of a column: whole cache lines of every row of the weight.</summary>
    public const int ColumnWidth = 64;

    private const int BlockRows = 4, PrefetchRows = 16;

    private readonly LinearShape shape = shape;
    private int taken;

    /// <summary>Bytes of private scratch: the sums of one column.</summary>
    public static long PrivateBytes => BlockRows * ColumnWidth * sizeof(float);

    public static void Run(InputMajorLinearOperation<TFormat>* self, Worker* worker)
    {
        LinearShape* shape = &self->shape;
        var sums = (float*)worker->Private;
        int columns = (shape->N + ColumnWidth - 1) / ColumnWidth;
        while (true)
        {
            int column = Interlocked.Increment(ref self->taken) - 1;
            if (column >= columns)
            {
                return;
            }

            int from = column * ColumnWidth, width = Math.Min(ColumnWidth, shape->N - from);
            for (int row = 0; row < shape->Rows; row += BlockRows)
            {
                int count = Math.Min(BlockRows, shape->Rows - row);
                Column(shape, row, count, from, width, sums);
                for (int i = 0; i < count; i++)
                {
                    shape->Finish(sums + i * ColumnWidth, row + i, from, width);
                }
            }
        }
    }

    private static void Column(LinearShape* shape, int row, int rows, int from, int width, float* sums)
    {
        float* x = shape->X + (long)row * shape->XStride;
        byte* w = shape->W + (long)from * TFormat.Size;
        if (rows == 1 && width == ColumnWidth)
        {
            OneRow(x, w, shape->K, (long)shape->N * TFormat.Size, sums);
            return;
        }

        int j = 0;
        for (; j + 16 <= width; j += 16)
        {
            if (rows == BlockRows)
            {
                FourRows(x, shape->XStride, w + (long)j * TFormat.Size, shape->K, (long)shape->N * TFormat.Size, sums + j);
                continue;
            }

            for (int i = 0; i < rows; i++)
            {
                Sixteen(x + (long)i * shape->XStride, w + (long)j * TFormat.Size, shape->K, (long)shape->N * TFormat.Size, sums + i * ColumnWidth + j);
            }
        }

        for (; j < width; j++)
        {
            for (int i = 0; i < rows; i++)
            {
                sums[i * ColumnWidth + j] = One(x + (long)i * shape->XStride, w + (long)j * TFormat.Size, shape->K, (long)shape->N * TFormat.Size);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(float* x, byte* w, int k, long stride, float* sums)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        int size = 8 * TFormat.Size;
        for (int i = 0; i < k; i++, w += stride)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(w + PrefetchRows * stride);
                Sse.Prefetch0(w + PrefetchRows * stride + 64);
            }

            Vector256<float> xi = Vector256.Create(x[i]);
            a = Lanes.MultiplyAdd(TFormat.Load8(w), xi, a);
            b = Lanes.MultiplyAdd(TFormat.Load8(w + size), xi, b);
            c = Lanes.MultiplyAdd(TFormat.Load8(w + 2 * size), xi, c);
            d = Lanes.MultiplyAdd(TFormat.Load8(w + 3 * size), xi, d);
            e = Lanes.MultiplyAdd(TFormat.Load8(w + 4 * size), xi, e);
            f = Lanes.MultiplyAdd(TFormat.Load8(w + 5 * size), xi, f);
            g = Lanes.MultiplyAdd(TFormat.Load8(w + 6 * size), xi, g);
            h = Lanes.MultiplyAdd(TFormat.Load8(w + 7 * size), xi, h);
        }

        a.Store(sums);
        b.Store(sums + 8);
        c.Store(sums + 16);
        d.Store(sums + 24);
        e.Store(sums + 32);
        f.Store(sums + 40);
        g.Store(sums + 48);
        h.Store(sums + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(float* x, int xStride, byte* w, int k, long stride, float* sums)
    {
        Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default;
        Vector256<float> c0 = default, c1 = default, d0 = default, d1 = default;
        float* x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride;
        for (long i = 0; i < k; i++, w += stride)
        {
            Vector256<float> w0 = TFormat.Load8(w), w1 = TFormat.Load8(w + 8 * TFormat.Size);
            Vector256<float> p = Vector256.Create(x[i]);
            a0 = Lanes.MultiplyAdd(w0, p, a0);
            a1 = Lanes.MultiplyAdd(w1, p, a1);
            p = Vector256.Create(x1[i]);
            b0 = Lanes.MultiplyAdd(w0, p, b0);
            b1 = Lanes.MultiplyAdd(w1, p, b1);
            p = Vector256.Create(x2[i]);
            c0 = Lanes.MultiplyAdd(w0, p, c0);
            c1 = Lanes.MultiplyAdd(w1, p, c1);
            p = Vector256.Create(x3[i]);
            d0 = Lanes.MultiplyAdd(w0, p, d0);
            d1 = Lanes.MultiplyAdd(w1, p, d1);
        }

        a0.Store(sums);
        a1.Store(sums + 8);
        b0.Store(sums + ColumnWidth);
        b1.Store(sums + ColumnWidth + 8);
        c0.Store(sums + 2 * ColumnWidth);
        c1.Store(sums + 2 * ColumnWidth + 8);
        d0.Store(sums + 3 * ColumnWidth);
        d1.Store(sums + 3 * ColumnWidth + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sixteen(float* x, byte* w, int k, long stride, float* sums)
    {
        Vector256<float> a = default, b = default;
        for (int i = 0; i < k; i++, w += stride)
        {
            Vector256<float> xi = Vector256.Create(x[i]);
            a = Lanes.MultiplyAdd(TFormat.Load8(w), xi, a);
            b = Lanes.MultiplyAdd(TFormat.Load8(w + 8 * TFormat.Size), xi, b);
        }

        a.Store(sums);
        b.Store(sums + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float One(float* x, byte* w, int k, long stride)
    {
        float sum = 0;
        for (int i = 0; i < k; i++, w += stride)
        {
            sum = Lanes.MultiplyAdd(TFormat.Load(w), x[i], sum);
        }

        return sum;
    }
}
