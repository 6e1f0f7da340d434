using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Linear over output-major weights, for up to four weights that share x (q, k and v; gate and up). Workers take panels of outputs, so that each reads its
/// part of the weights, as one stream, or for one or two rows as a few; few rows are arranged by every worker for itself, more once for all. Where the
/// weight is small beside many rows they take rows instead, as the operations before and after do: what a worker wrote it then finds in its own cache.
/// Every output is reduced over K in the one order of <see cref="Projection{TFormat}"/>.
/// Bound: memory bandwidth up to about 8 rows, then FMA throughput.
/// </summary>
internal unsafe partial struct LinearOperation<TFormat> : IRowOperation<LinearOperation<TFormat>>
    where TFormat : unmanaged, IWeightFormat
{
    private const int BlockRows = 32; // rows whose sums for one panel wait in the first-level cache
    private const int OwnRows = 4; // copying so few costs less than a phase
    private const int SmallWeight = 256 * 1024; // bytes that stay in a second-level cache beside the activations

    private Parts parts;
    private int partCount, panel;

    /// <summary>An operation with one weight.</summary>
    /// <param name="shape">The weight.</param>
    /// <param name="workers">Workers of the set: smaller weights are cut into smaller panels, so that everyone has something to do.</param>
    public LinearOperation(LinearShape shape, int workers)
    {
        TakesRows = workers > 1 && shape.Rows >= RowChain.Tile * workers && (long)shape.N * shape.K * TFormat.Size <= SmallWeight;
        int share = TakesRows ? shape.N : shape.N / (workers * 2);
        panel = Math.Clamp((share + 11) / 12 * 12, 12, Projection<TFormat>.PanelRows);
        parts[0] = shape;
        partCount = 1;
    }

    [InlineArray(4)]
    private struct Parts
    {
        private LinearShape first;
    }

    public static bool Streams => true;

    /// <summary>Whether workers take rows, each with all outputs.</summary>
    public bool TakesRows { get; }

    /// <summary>Bytes of shared scratch: arranged rows.</summary>
    public readonly long SharedBytes => OwnArranged > 0 ? 0 : (long)parts[0].Rows * Arrangement.Padded(parts[0].K) * sizeof(float);

    /// <summary>Bytes of private scratch: the sums of one panel, and arranged rows where a worker has its own.</summary>
    public readonly long PrivateBytes =>
        (BlockRows * Projection<TFormat>.PanelRows + OwnArranged * Arrangement.Padded(parts[0].K)) * sizeof(float);

    /// <summary>Rows that a worker arranges for itself; 0 where all share one copy.</summary>
    private readonly int OwnArranged => TakesRows ? RowChain.MostTaken : parts[0].Rows <= OwnRows ? parts[0].Rows : 0;

    private readonly int Panels
    {
        get
        {
            int count = 0;
            for (int i = 0; i < partCount; i++)
            {
                count += PanelsOf(i);
            }

            return count;
        }
    }

    /// <summary>Whether a weight over the same x can be added: there is room and neither result depends on the other.</summary>
    public readonly bool Accepts(in LinearShape shape)
    {
        if (partCount == 4 || shape.X != parts[0].X || shape.XStride != parts[0].XStride || shape.Rows != parts[0].Rows || shape.K != parts[0].K)
        {
            return false;
        }

        for (int i = 0; i < partCount; i++)
        {
            if (!AreApart(parts[i], shape))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds a weight that is accepted.</summary>
    public void Add(in LinearShape shape) => parts[partCount++] = shape;

    public static int CountRows(LinearOperation<TFormat>* self) => self->parts[0].Rows;

    public static int Describe(LinearOperation<TFormat>* self, Span<RowBlock> blocks)
    {
        LinearShape first = self->parts[0];
        blocks[0] = new RowBlock(first.X, first.XStride, first.K);
        for (int i = 0; i < self->partCount; i++)
        {
            blocks[1 + i] = self->parts[i].Results;
        }

        return 1 + self->partCount;
    }

    /// <summary>At most <see cref="RowChain.MostTaken"/> rows.</summary>
    public static void RunRows(LinearOperation<TFormat>* self, Worker* worker, int from, int to)
    {
        var sums = (float*)worker->Private;
        float* x = sums + BlockRows * Projection<TFormat>.PanelRows;
        self->Arrange(x, from, to);
        for (int panel = 0, panels = self->Panels; panel < panels; panel++)
        {
            self->Panel(panel, x, from, to, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(LinearOperation<TFormat>* self, Worker* worker)
    {
        if (self->TakesRows)
        {
            self->RunByRows(worker);
            return;
        }

        if (self->IsStreamed)
        {
            self->RunStreams(worker);
            return;
        }

        int rows = self->parts[0].Rows, padded = Arrangement.Padded(self->parts[0].K);
        var sums = (float*)worker->Private;
        bool own = rows <= OwnRows, arranged = !own;
        float* x = own ? sums + BlockRows * Projection<TFormat>.PanelRows : (float*)worker->Shared;
        if (!own)
        {
            while (worker->Take(rows, out long from, out long to))
            {
                self->Arrange(x + from * padded, from, to);
            }

            worker->Meet();
        }

        while (worker->Take(self->Panels, out long first, out long end))
        {
            if (!arranged)
            {
                self->Arrange(x, 0, rows);
                arranged = true;
            }

            for (long i = first; i < end; i++)
            {
                self->Panel((int)i, x, 0, rows, sums);
            }
        }
    }

    public static void Stream(LinearOperation<TFormat>* self, int worker, int workers, out byte* from, out byte* to)
    {
        if (self->IsStreamed)
        {
            self->FirstStream(worker, workers, out from, out to);
            return;
        }

        int panels = self->Panels, first = (int)Worker.ShareStart(panels, worker, workers), end = (int)Worker.ShareStart(panels, worker + 1, workers);
        int part = self->Locate(first, out int output);
        if (first == end)
        {
            from = to = null;
            return;
        }

        LinearShape* shape = (LinearShape*)Unsafe.AsPointer(ref self->parts[part]);
        from = shape->W + (long)output * shape->K * TFormat.Size;
        to = from + (long)Math.Min(shape->N - output, (end - first) * self->panel) * shape->K * TFormat.Size;
    }

    /// <summary>Whether no element is in both results: columns of one matrix side by side, or different memory.</summary>
    private static bool AreApart(in LinearShape a, in LinearShape b)
    {
        long distance = b.Y - a.Y;
        if (a.YStride == b.YStride && Math.Abs(distance) < a.YStride)
        {
            return distance >= 0 ? distance >= a.N && distance + b.N <= a.YStride : -distance >= b.N && a.N - distance <= a.YStride;
        }

        return b.Y >= a.Y + (long)a.Rows * a.YStride || a.Y >= b.Y + (long)b.Rows * b.YStride;
    }

    private readonly int PanelsOf(int part) => (parts[part].N + panel - 1) / panel;

    /// <summary>The weight that a panel belongs to, and the panel's first output in it.</summary>
    private readonly int Locate(int index, out int output)
    {
        int part = 0;
        for (int count; part < partCount - 1 && index >= (count = PanelsOf(part)); part++)
        {
            index -= count;
        }

        output = index * panel;
        return part;
    }

    private readonly void Arrange(float* arranged, long from, long to)
    {
        LinearShape shape = parts[0];
        int padded = Arrangement.Padded(shape.K);
        for (long row = from; row < to; row++, arranged += padded)
        {
            Arrangement.Row(shape.X + row * shape.XStride, shape.K, TFormat.SplitsEvenOdd, arranged);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void RunByRows(Worker* worker)
    {
        int rows = parts[0].Rows, panels = Panels;
        var sums = (float*)worker->Private;
        float* x = sums + BlockRows * Projection<TFormat>.PanelRows;
        long arranged = -1;
        while (worker->Take((rows + RowChain.Tile - 1) / RowChain.Tile * (long)panels, out long first, out long end))
        {
            for (long unit = first; unit < end; unit++)
            {
                int from = (int)(unit / panels) * RowChain.Tile, to = Math.Min(from + RowChain.Tile, rows);
                if (from != arranged)
                {
                    Arrange(x, from, to);
                    arranged = from;
                }

                Panel((int)(unit % panels), x, from, to, sums);
            }
        }
    }

    /// <summary>One panel of outputs for the rows from … to, of which <paramref name="x"/> has the arranged copies.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Panel(int index, float* x, int from, int to, float* sums)
    {
        LinearShape shape = parts[Locate(index, out int output)];
        int columns = Math.Min(panel, shape.N - output), padded = Arrangement.Padded(shape.K);
        byte* w = shape.W + (long)output * shape.K * TFormat.Size;
        float** rows = stackalloc float*[BlockRows];
        for (int block = from; block < to; block += BlockRows)
        {
            int count = Math.Min(BlockRows, to - block);
            for (int i = 0; i < count; i++, x += padded)
            {
                rows[i] = x;
            }

            if (shape.IsPlain)
            {
                Projection<TFormat>.Run(rows, count, w, shape.K, columns, shape.Y + (long)block * shape.YStride + output, shape.YStride);
                continue;
            }

            Projection<TFormat>.Run(rows, count, w, shape.K, columns, sums, Projection<TFormat>.PanelRows);
            for (int row = 0; row < count; row++)
            {
                shape.Finish(sums + row * Projection<TFormat>.PanelRows, block + row, output, columns);
            }
        }
    }
}
