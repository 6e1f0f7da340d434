namespace DeRa.Kernels.Portable;

public partial class PortableKernelSet
{
    private readonly PendingLinears pendingLinears = new();

    /// <inheritdoc />
    protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
    {
        if (y.Rows == 0 || y.Columns == 0)
        {
            return;
        }

        if (form == KernelForm.Serial)
        {
            Defer(new PendingLinears.Projection(x, w, bias, y, accumulate));
            return;
        }

        const int Tile = 32, RowsPerGroup = 4 * ProjectionRows.Block;
        var args = new LinearArgs
        {
            X = View(x),
            W = View(w),
            Bias = View(bias),
            Y = View(y),
            Accumulate = accumulate ? 1 : 0,
            InputMajor = w.InputMajor ? 1 : 0,
            Tile = Tile,
            RowsPerGroup = RowsPerGroup,
        };
        if (IsTiled(x, w))
        {
            LaunchInOrder(RegisterTiledLinear(w.DType), RegisterTiles(x.Rows, y.Columns), args);
        }
        else
        {
            LaunchInOrder(CooperativeLinear(w.DType), Tiles(y.Columns, Tile) * Tiles(x.Rows, RowsPerGroup), args);
        }
    }

    /// <summary>
    /// Whether a projection in the form for GPUs goes by tiles in registers: what they can read sixteen bytes at a time, where there are so many rows that
    /// multiplying bounds it and tiles enough for all multiprocessors. Bits do not depend on it.
    /// </summary>
    internal bool IsTiled(Matrix x, Weight w)
    {
        const int FewRows = 16, Wide = 16;
        return GroupSize == Team.Size && x.Rows > FewRows && !w.InputMajor && w.Columns % RegisterTiledLinearKernel<Float32Format>.Block == 0
            && w.RowPadding == 0 && w.ByteOffset % Wide == 0 && x.Offset * sizeof(float) % Wide == 0 && x.RowStride * sizeof(float) % Wide == 0
            && RegisterTiles(x.Rows, w.Rows) >= Multiprocessors;
    }

    private static long RegisterTiles(int rows, int outputs) =>
        Tiles(outputs, RegisterTiledLinearKernel<Float32Format>.Outputs) * Tiles(rows, RegisterTiledLinearKernel<Float32Format>.Rows);

    /// <summary>Has a projection wait for others of the same x; those before it that it cannot go with are launched.</summary>
    private protected void Defer(PendingLinears.Projection next)
    {
        if (!pendingLinears.Takes(next))
        {
            LaunchPendingLinears();
        }

        pendingLinears.Add(next);
    }

    /// <summary>The projection that waits, if it is the only one; it waits no more.</summary>
    private protected bool TryTakeOnlyPending(Func<PendingLinears.Projection, bool> condition, out PendingLinears.Projection only)
    {
        only = pendingLinears.Waiting.Count == 1 ? pendingLinears.Waiting[0] : default;
        bool taken = pendingLinears.Waiting.Count == 1 && condition(only);
        if (taken)
        {
            pendingLinears.Clear();
        }

        return taken;
    }

    /// <summary>Launches the projections that wait; every other launch and every end of a step comes after them.</summary>
    private protected void LaunchPendingLinears()
    {
        if (pendingLinears.Waiting.Count > 0)
        {
            PendingLinears.Projection[] parts = [.. pendingLinears.Waiting];
            pendingLinears.Clear();
            LaunchLinears(parts);
        }
    }

    /// <summary>Launches projections of one x that waited together, one to three.</summary>
    private protected virtual void LaunchLinears(IReadOnlyList<PendingLinears.Projection> parts)
    {
        Matrix x = parts[0].X;
        int tile = SerialLinearTile(parts.Sum(part => part.Y.Columns), x.Rows);
        if (RowsShareCacheSets(x))
        {
            x = CopyRowsApart(x);
        }

        var args = new SerialLinearArgs
        {
            X = View(x),
            First = Part(0),
            Second = Part(1),
            Third = Part(2),
            Accumulate = parts[0].Accumulate ? 1 : 0,
            InputMajor = parts[0].W.InputMajor ? 1 : 0,
            Tile = tile,
        };
        LaunchInOrder(SerialLinear(parts[0].W.DType), args.First.Tiles + args.Second.Tiles + args.Third.Tiles, args);

        // An absent part repeats the first one's memory with nothing to do.
        SerialLinearPart Part(int index) => new()
        {
            W = View(parts[index < parts.Count ? index : 0].W),
            Bias = View(parts[index < parts.Count ? index : 0].Bias),
            Y = View(parts[index < parts.Count ? index : 0].Y),
            Tiles = index < parts.Count ? (int)Tiles(parts[index].Y.Columns, tile) : 0,
        };
    }

    // Several tiles for each processor, so that one which starts late leaves its share to the others; whole register tiles. Few rows read their weights
    // as streams, which are the better for being long.
    private int SerialLinearTile(int outputs, int rows)
    {
        const int RegisterTile = 12;
        (int tilesPerProcessor, int largest) = rows <= SerialRowTiles.StreamedRows ? (4, SerialLinearArgs.LargestTileOfStreams) : (8, SerialLinearArgs.LargestTile);
        int share = outputs / (tilesPerProcessor * device.Accelerator.NumMultiprocessors) / RegisterTile * RegisterTile;
        return Math.Clamp(share, RegisterTile, largest);
    }

    // Rows a multiple of 4 KiB apart fall into the same few sets of a first-level cache and push each other out.
    private static bool RowsShareCacheSets(Matrix x) => x.Rows > 1 && (long)x.RowStride * sizeof(float) % 4096 == 0;

    private Matrix CopyRowsApart(Matrix x)
    {
        const int CacheLine = 64 / sizeof(float);
        int stride = x.Columns + CacheLine;
        Matrix copy = Matrix.Dense(Scratch("rows apart", (long)x.Rows * stride * sizeof(float)), x.Rows, x.Columns) with { RowStride = stride };
        LaunchInOrder(SerialCopyKernel.Run, Elementwise.Groups(x.Rows, x.Columns), new SerialCopyArgs { X = View(x), Y = View(copy) });
        return copy;
    }

    private static Action<SerialLinearArgs> SerialLinear(DType dtype) => dtype switch
    {
        DType.BF16 => SerialLinearKernel<BFloat16Format>.Run,
        DType.F16 => SerialLinearKernel<Float16Format>.Run,
        _ => SerialLinearKernel<Float32Format>.Run,
    };

    private static Action<LinearArgs> RegisterTiledLinear(DType dtype) => dtype switch
    {
        DType.BF16 => RegisterTiledLinearKernel<BFloat16Format>.Run,
        DType.F16 => RegisterTiledLinearKernel<Float16Format>.Run,
        _ => RegisterTiledLinearKernel<Float32Format>.Run,
    };

    private static Action<LinearArgs> CooperativeLinear(DType dtype) => dtype switch
    {
        DType.BF16 => LinearKernel<CooperativeProjector<BFloat16Format>>.Run,
        DType.F16 => LinearKernel<CooperativeProjector<Float16Format>>.Run,
        _ => LinearKernel<CooperativeProjector<Float32Format>>.Run,
    };
}
