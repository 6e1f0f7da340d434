using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Linear over an input-major weight (GPT-2's Conv1D: memory holds [K, N]). Lanes are outputs, so no lane is ever summed with another: each output
/// takes k = 0, 1, 2, … in turn, whatever the number of rows. Workers take columns of 64 outputs. A single row streams the weight; several rows
/// share a block of it that is widened once. Bound: as for output-major weights.
/// </summary>
internal unsafe struct InputMajorLinearOperation<TFormat>(LinearShape shape) : IOperation<InputMajorLinearOperation<TFormat>>
    where TFormat : unmanaged, IWeightFormat
{
    private const int Width = 64; // outputs of a column: whole cache lines of every row of the weight
    private const int BlockInputs = 128; // inputs whose weights are widened together: 32 KB
    private const int BlockRows = 240; // rows whose sums wait while inputs go by: 60 KB; a multiple of six
    private const int PrefetchRows = 16;

    private readonly LinearShape shape = shape;

    /// <summary>Bytes of private scratch: widened weights and sums.</summary>
    public static long PrivateBytes => (BlockInputs + BlockRows) * Width * sizeof(float);

    public static void Run(InputMajorLinearOperation<TFormat>* self, Worker* worker)
    {
        LinearShape* shape = &self->shape;
        var widened = (float*)worker->Private;
        float* sums = widened + BlockInputs * Width;
        int columns = (shape->N + Width - 1) / Width;
        while (worker->Take(columns, out long column, out _, grain: 1))
        {
            int from = (int)column * Width, width = Math.Min(Width, shape->N - from);
            for (int row = 0; row < shape->Rows; row += BlockRows)
            {
                int rows = Math.Min(BlockRows, shape->Rows - row);
                Column(shape, row, rows, from, width, widened, sums);
                for (int i = 0; i < rows; i++)
                {
                    shape->Finish(sums + i * Width, row + i, from, width);
                }
            }
        }
    }

    private static void Column(LinearShape* shape, int row, int rows, int from, int width, float* widened, float* sums)
    {
        float* x = shape->X + (long)row * shape->XStride;
        byte* w = shape->W + (long)from * TFormat.Size;
        long stride = (long)shape->N * TFormat.Size;
        if (rows == 1 && width == Width)
        {
            Stream(x, w, shape->K, stride, sums);
            return;
        }

        new Span<float>(sums, rows * Width).Clear();
        for (int k = 0; k < shape->K; k += BlockInputs)
        {
            int inputs = Math.Min(BlockInputs, shape->K - k);
            Widen(w + k * stride, inputs, stride, width, widened);
            int i = 0;
            for (; i + 6 <= rows; i += 6)
            {
                for (int j = 0; j < Width; j += 16)
                {
                    SixRows(x + (long)i * shape->XStride + k, shape->XStride, widened + j, inputs, sums + i * Width + j);
                }
            }

            for (; i < rows; i++)
            {
                OneRow(x + (long)i * shape->XStride + k, widened, inputs, sums + i * Width);
            }
        }
    }

    /// <summary>[inputs, 64] weights as floats; zeros past the last output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(byte* w, int inputs, long stride, int width, float* widened)
    {
        for (int i = 0; i < inputs; i++, w += stride, widened += Width)
        {
            int j = 0;
            for (; j + 8 <= width; j += 8)
            {
                TFormat.Load8(w + j * TFormat.Size).Store(widened + j);
            }

            for (; j < Width; j++)
            {
                widened[j] = j < width ? TFormat.Load(w + j * TFormat.Size) : 0;
            }
        }
    }

    /// <summary>One row against the weight where it lies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stream(float* x, byte* w, int k, long stride, float* sums)
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

    /// <summary>One row against widened weights, added to its 64 sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(float* x, float* w, int inputs, float* sums)
    {
        Vector256<float> a = Vector256.Load(sums), b = Vector256.Load(sums + 8), c = Vector256.Load(sums + 16), d = Vector256.Load(sums + 24);
        Vector256<float> e = Vector256.Load(sums + 32), f = Vector256.Load(sums + 40), g = Vector256.Load(sums + 48), h = Vector256.Load(sums + 56);
        for (int i = 0; i < inputs; i++, w += Width)
        {
            Vector256<float> xi = Vector256.Create(x[i]);
            a = Lanes.MultiplyAdd(Vector256.Load(w), xi, a);
            b = Lanes.MultiplyAdd(Vector256.Load(w + 8), xi, b);
            c = Lanes.MultiplyAdd(Vector256.Load(w + 16), xi, c);
            d = Lanes.MultiplyAdd(Vector256.Load(w + 24), xi, d);
            e = Lanes.MultiplyAdd(Vector256.Load(w + 32), xi, e);
            f = Lanes.MultiplyAdd(Vector256.Load(w + 40), xi, f);
            g = Lanes.MultiplyAdd(Vector256.Load(w + 48), xi, g);
            h = Lanes.MultiplyAdd(Vector256.Load(w + 56), xi, h);
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

    /// <summary>Six rows × 16 outputs: 12 accumulators, 2 of w and 1 of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(float* x, long xStride, float* w, int inputs, float* sums)
    {
        float* x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride, x4 = x3 + xStride, x5 = x4 + xStride;
        Vector256<float> a0 = Vector256.Load(sums), a1 = Vector256.Load(sums + 8);
        Vector256<float> b0 = Vector256.Load(sums + 1 * Width), b1 = Vector256.Load(sums + 1 * Width + 8);
        Vector256<float> c0 = Vector256.Load(sums + 2 * Width), c1 = Vector256.Load(sums + 2 * Width + 8);
        Vector256<float> d0 = Vector256.Load(sums + 3 * Width), d1 = Vector256.Load(sums + 3 * Width + 8);
        Vector256<float> e0 = Vector256.Load(sums + 4 * Width), e1 = Vector256.Load(sums + 4 * Width + 8);
        Vector256<float> f0 = Vector256.Load(sums + 5 * Width), f1 = Vector256.Load(sums + 5 * Width + 8);
        for (long i = 0; i < inputs; i++, w += Width)
        {
            Vector256<float> w0 = Vector256.Load(w), w1 = Vector256.Load(w + 8);
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
            p = Vector256.Create(x4[i]);
            e0 = Lanes.MultiplyAdd(w0, p, e0);
            e1 = Lanes.MultiplyAdd(w1, p, e1);
            p = Vector256.Create(x5[i]);
            f0 = Lanes.MultiplyAdd(w0, p, f0);
            f1 = Lanes.MultiplyAdd(w1, p, f1);
        }

        a0.Store(sums);
        a1.Store(sums + 8);
        b0.Store(sums + 1 * Width);
        b1.Store(sums + 1 * Width + 8);
        c0.Store(sums + 2 * Width);
        c1.Store(sums + 2 * Width + 8);
        d0.Store(sums + 3 * Width);
        d1.Store(sums + 3 * Width + 8);
        e0.Store(sums + 4 * Width);
        e1.Store(sums + 4 * Width + 8);
        f0.Store(sums + 5 * Width);
        f1.Store(sums + 5 * Width + 8);
    }
}
