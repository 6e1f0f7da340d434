using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>Pointers and shapes of y = x · Wᵀ (+ bias), or y += ….</summary>
internal unsafe struct LinearShape
{
    /// <summary>[Rows, K], rows XStride floats apart.</summary>
    public float* X;

    /// <summary>Floats between rows of x.</summary>
    public int XStride;

    /// <summary>Rows of x and y.</summary>
    public int Rows;

    /// <summary>Input features.</summary>
    public int K;

    /// <summary>Output features.</summary>
    public int N;

    /// <summary>The weight.</summary>
    public byte* W;

    /// <summary>[N], or absent.</summary>
    public WeightVector Bias;

    /// <summary>[Rows, N], rows YStride floats apart.</summary>
    public float* Y;

    /// <summary>Floats between rows of y.</summary>
    public int YStride;

    /// <summary>Whether results are added to y.</summary>
    public bool Accumulate;

    /// <summary>Outputs that a worker takes at a time; decides nothing about the results.</summary>
    public int Grain;

    /// <summary>Writes finished sums of outputs from … from + count of one row: bias first, then what y held.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Finish(float* sums, int row, int from, int count)
    {
        float* y = Y + (long)row * YStride + from;
        for (int i = 0; i < count; i += Lanes.Count)
        {
            int left = count - i;
            Vector256<float> value = Lanes.Load(sums + i, left);
            if (Bias.IsPresent)
            {
                value += Bias.Load(from + i, left);
            }

            if (Accumulate)
            {
                value += Lanes.Load(y + i, left);
            }

            Lanes.Store(value, y + i, left);
        }
    }

    /// <summary>A grain that gives every worker several turns without cutting panels needlessly.</summary>
    public static int GrainFor(int outputs, int workers, int panel)
    {
        int share = outputs / (workers * 8);
        return share >= panel ? Math.Min(share / panel * panel, 8 * panel) : Math.Clamp((outputs / (workers * 2) + 11) / 12 * 12, 12, panel);
    }
}

/// <summary>
/// Linear over an output-major weight. Phase 1 arranges x into shared memory, phase 2 hands out panels of outputs to whoever is free. Every output
/// is reduced over K in the one order of <see cref="Projection{TFormat}"/>. Bound: memory bandwidth up to about 8 rows, then FMA throughput.
/// </summary>
internal unsafe struct LinearOperation<TFormat>(LinearShape shape) : IOperation<LinearOperation<TFormat>>
    where TFormat : unmanaged, IWeightFormat
{
    private const int BlockRows = 32; // rows whose sums for one panel wait in the first-level cache

    private readonly LinearShape shape = shape;
    private int taken;

    /// <summary>Bytes of shared scratch: arranged rows, then pointers to them.</summary>
    public static long SharedBytes(int rows, int k) => (long)rows * (Arrangement.Padded(k) * sizeof(float) + sizeof(float*));

    /// <summary>Bytes of private scratch: the sums of one panel.</summary>
    public static long PrivateBytes => BlockRows * Projection<TFormat>.PanelRows * sizeof(float);

    public static void Run(LinearOperation<TFormat>* self, Worker* worker)
    {
        LinearShape* shape = &self->shape;
        var arranged = (float*)worker->Shared;
        int padded = Arrangement.Padded(shape->K);
        var rows = (float**)(arranged + (long)shape->Rows * padded);
        Arrange(shape, arranged, rows, worker);
        worker->Meet();

        int grains = (shape->N + shape->Grain - 1) / shape->Grain;
        while (true)
        {
            int grain = Interlocked.Increment(ref self->taken) - 1;
            if (grain >= grains)
            {
                return;
            }

            int from = grain * shape->Grain, to = Math.Min(from + shape->Grain, shape->N);
            for (int panel = from; panel < to; panel += Projection<TFormat>.PanelRows)
            {
                Panel(shape, rows, panel, Math.Min(Projection<TFormat>.PanelRows, to - panel), (float*)worker->Private);
            }
        }
    }

    private static void Arrange(LinearShape* shape, float* arranged, float** rows, Worker* worker)
    {
        int padded = Arrangement.Padded(shape->K);
        worker->Share(shape->Rows, out long from, out long to);
        for (long row = from; row < to; row++)
        {
            rows[row] = arranged + row * padded;
            Arrangement.Row(shape->X + row * shape->XStride, shape->K, TFormat.SplitsEvenOdd, rows[row]);
        }
    }

    private static void Panel(LinearShape* shape, float** rows, int panel, int columns, float* sums)
    {
        byte* w = shape->W + (long)panel * shape->K * TFormat.Size;
        for (int block = 0; block < shape->Rows; block += BlockRows)
        {
            int count = Math.Min(BlockRows, shape->Rows - block);
            Projection<TFormat>.Run(rows + block, count, w, shape->K, columns, sums, Projection<TFormat>.PanelRows);
            for (int row = 0; row < count; row++)
            {
                shape->Finish(sums + row * Projection<TFormat>.PanelRows, block + row, panel, columns);
            }
        }
    }
}
