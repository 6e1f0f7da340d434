using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

// One row of x, or two: every worker reads its share of each weight as a few long streams.
internal unsafe partial struct LinearOperation<TFormat>
{
    private const int StripOutputs = Projection<TFormat>.PanelRows; // of all streams together that are taken at a time

    private readonly int StreamCount => Projection<TFormat>.CountStreams(parts[0].Rows, parts[0].K);

    private readonly bool IsStreamed => parts[0].Rows <= Projection<TFormat>.StreamedRows;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void RunStreams(Worker* worker)
    {
        int strips = 0, rows = parts[0].Rows;
        for (int part = 0; part < partCount; part++)
        {
            strips += StripsOf(part, worker->Count);
        }

        var sums = (float*)worker->Private;
        float** x = stackalloc float*[Projection<TFormat>.StreamedRows];
        for (int row = 0; row < rows; row++)
        {
            x[row] = sums + BlockRows * Projection<TFormat>.PanelRows + row * Arrangement.Padded(parts[0].K);
        }

        bool arranged = false;
        while (worker->Take((long)strips * worker->Count, out long strip, out _, grain: 1))
        {
            if (!arranged)
            {
                Arrange(x[0], 0, rows);
                arranged = true;
            }

            Strip((int)strip / strips, (int)strip % strips, worker->Count, x, sums);
        }
    }

    /// <summary>Strips of a worker's share of a weight; the same for all workers, whose shares differ by an output at the most.</summary>
    private readonly int StripsOf(int part, int workers)
    {
        int longest = (parts[part].N + workers - 1) / workers;
        return Math.Max(1, (longest + StripOutputs - 1) / StripOutputs);
    }

    /// <summary>A strip of a worker's share of all weights: some outputs of each stream, and with the last of a weight the few that no stream has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Strip(int owner, int strip, int workers, float** x, float* sums)
    {
        int part = 0, strips;
        for (; strip >= (strips = StripsOf(part, workers)); part++)
        {
            strip -= strips;
        }

        LinearShape shape = parts[part];
        int first = (int)Worker.ShareStart(shape.N, owner, workers), end = (int)Worker.ShareStart(shape.N, owner + 1, workers);
        int streams = StreamCount, stripRows = StripOutputs / streams, apart = Projection<TFormat>.StreamRows(end - first, streams, shape.K);
        int from = strip * stripRows, count = Math.Min(stripRows, apart - from), rest = first + streams * apart;
        if (count > 0)
        {
            Project(shape, x, first + from, streams, apart, count, sums);
        }

        if (strip == strips - 1 && rest < end)
        {
            const int Stride = Projection<TFormat>.PanelRows;
            Projection<TFormat>.Run(x, shape.Rows, shape.W + (long)rest * shape.K * TFormat.Size, shape.K, end - rest, sums, Stride);
            for (int row = 0; row < shape.Rows; row++)
            {
                shape.Finish(sums + row * Stride, row, rest, end - rest);
            }
        }
    }

    /// <summary>Some outputs of each stream, from the first stream's <paramref name="output"/> on.</summary>
    private static void Project(in LinearShape shape, float** x, int output, int streams, int apart, int count, float* sums)
    {
        byte* w = shape.W + (long)output * shape.K * TFormat.Size;
        if (shape.IsPlain)
        {
            Projection<TFormat>.RunStreams(x, shape.Rows, w, streams, apart, shape.K, count, shape.Y + output, apart, shape.YStride);
            return;
        }

        const int Stride = Projection<TFormat>.PanelRows;
        int stripRows = StripOutputs / streams;
        Projection<TFormat>.RunStreams(x, shape.Rows, w, streams, apart, shape.K, count, sums, stripRows, Stride);
        for (int row = 0; row < shape.Rows; row++)
        {
            for (int stream = 0; stream < streams; stream++)
            {
                shape.Finish(sums + row * Stride + stream * stripRows, row, output + stream * apart, count);
            }
        }
    }

    /// <summary>What a worker reads first: the beginning of its first stream.</summary>
    private readonly void FirstStream(int worker, int workers, out byte* from, out byte* to)
    {
        LinearShape shape = parts[0];
        long rowBytes = (long)shape.K * TFormat.Size;
        from = shape.W + Worker.ShareStart(shape.N, worker, workers) * rowBytes;
        to = shape.W + Worker.ShareStart(shape.N, worker + 1, workers) * rowBytes;
    }
}
