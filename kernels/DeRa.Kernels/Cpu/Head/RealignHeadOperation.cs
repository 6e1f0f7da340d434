using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The fused head in one recorded operation. A sweep hands tiles of the vocabulary to whoever is free; a tile projects all rows with both models into
/// a few kilobytes of the worker's own, mixes, adjusts and folds them into one <see cref="HeadPartial"/> per row. Then rows are merged in
/// the order of tiles. Rows whose cut is not settled by the candidates of the first sweep take further sweeps: at most three for top-k, three for
/// top-p and one to draw. Bound: one read of both output weights per sweep.
/// </summary>
internal unsafe partial struct RealignHeadOperation : IOperation<RealignHeadOperation>
{
    private const int Tile = HeadSide.Tile;
    private const int BlockRows = 32; // rows whose logits of one tile stay in the second-level cache, both models: 64 KB
    private const int MaxSweeps = 8;

    public HeadSide Reference;
    public HeadSide Aligned;
    public int Vocabulary;
    public HeadRow* Rows;
    public int Count;
    public TokenAdjustment* Entries;
    public bool Statistics;
    public HeadResult* Results;
    public TopToken* Top; // null when no row asks for any

    /// <summary>Both sides have the same output weight: their rows are projected together.</summary>
    public bool SharesOutput;

    /// <summary>One projection of the mixed hidden state stands for both.</summary>
    public bool MixesHidden;

    private fixed int pending[MaxSweeps + 1];

    // Layout of the shared scratch, from its start.
    private float** referenceRows;
    private float** alignedRows;
    private HeadPartial* partials; // [rows, tiles]
    private Candidate* candidates; // [rows, tiles, CandidateCapacity]
    private Candidate* tops; // [rows, tiles, MaxTopTokens], if any
    private HeadRowState* states; // [rows]
    private CutHistogram* histograms; // [rows]
    private int* waiting; // [2, rows]: rows of this sweep and of the next

    private readonly int Tiles => (Vocabulary + Tile - 1) / Tile;

    /// <summary>Bytes of shared scratch.</summary>
    public readonly long SharedBytes
    {
        get
        {
            RealignHeadOperation copy = this;
            return copy.Lay(null);
        }
    }

    /// <summary>Bytes of private scratch: a block of logits and work rows, or the candidates of a row being merged.</summary>
    public readonly long PrivateBytes => Math.Max(
        (2 * BlockRows + 2) * Tile * sizeof(float) + Math.Max(Reference.Padded, Aligned.Padded) * sizeof(float),
        (long)Tiles * HeadPartial.CandidateCapacity * sizeof(Candidate));

    public static void Run(RealignHeadOperation* self, Worker* worker)
    {
        if (worker->Take(1, out _, out _))
        {
            self->Lay(worker->Shared);
        }

        worker->Meet();
        self->Arrange(worker);
        worker->Meet();
        self->Sweep(0, worker);
        worker->Meet();
        self->MergeRows(worker);
        worker->Meet();
        for (int sweep = 1; sweep < MaxSweeps && self->pending[sweep] > 0; sweep++)
        {
            self->Sweep(sweep, worker);
            worker->Meet();
            self->ContinueRows(sweep, worker);
            worker->Meet();
        }
    }

    /// <summary>Places the tables in shared memory; returns their size.</summary>
    private long Lay(byte* start)
    {
        byte* next = start;
        void* Take(long bytes)
        {
            byte* at = next;
            next += (bytes + 63) & ~63L;
            return at;
        }

        long tiles = (long)Count * Tiles;
        referenceRows = (float**)Take((long)Count * sizeof(float*));
        alignedRows = (float**)Take((long)Count * sizeof(float*));
        partials = (HeadPartial*)Take(tiles * sizeof(HeadPartial));
        candidates = (Candidate*)Take(tiles * HeadPartial.CandidateCapacity * sizeof(Candidate));
        tops = Top == null ? null : (Candidate*)Take(tiles * HeadLimits.MaxTopTokens * sizeof(Candidate));
        states = (HeadRowState*)Take((long)Count * sizeof(HeadRowState));
        histograms = (CutHistogram*)Take((long)Count * sizeof(CutHistogram));
        waiting = (int*)Take(2L * Count * sizeof(int));
        var reference = (float*)Take((long)Count * Reference.Padded * sizeof(float));
        var aligned = (float*)Take((long)Count * Aligned.Padded * sizeof(float));
        if (start != null)
        {
            for (int row = 0; row < Count; row++)
            {
                referenceRows[row] = reference + (long)row * Reference.Padded;
                alignedRows[row] = aligned + (long)row * Aligned.Padded;
            }
        }

        return next - start;
    }

    private readonly void Arrange(Worker* worker)
    {
        while (worker->Take(Count, out long from, out long to))
        {
            for (long row = from; row < to; row++)
            {
                ArrangeRow(row, (float*)worker->Private);
            }
        }
    }

    private readonly void ArrangeRow(long row, float* mixed)
    {
        if (MixesHidden)
        {
            MixtureMath.Mix(Reference.Hidden(row), Aligned.Hidden(row), Rows[row].Lambda, mixed, Aligned.K);
            Arrangement.Row(mixed, Aligned.K, Aligned.SplitsEvenOdd, alignedRows[row]);
            return;
        }

        if (Reference.IsPresent)
        {
            Arrangement.Row(Reference.Hidden(row), Reference.K, Reference.SplitsEvenOdd, referenceRows[row]);
        }

        if (Aligned.IsPresent)
        {
            Arrangement.Row(Aligned.Hidden(row), Aligned.K, Aligned.SplitsEvenOdd, alignedRows[row]);
        }
    }

    private void Sweep(int sweep, Worker* worker)
    {
        int rows = sweep == 0 ? Count : pending[sweep];
        int* list = sweep == 0 ? null : Waiting(sweep);
        var logits = (float*)worker->Private;
        while (worker->Take(Tiles, out long tile, out _, grain: 1))
        {
            for (int block = 0; block < rows; block += BlockRows)
            {
                SweepBlock((int)tile, list, block, Math.Min(BlockRows, rows - block), logits);
            }
        }
    }

    [SkipLocalsInit]
    private readonly void SweepBlock(int tile, int* list, int block, int rows, float* logits)
    {
        float** pointers = stackalloc float*[2 * BlockRows];
        for (int i = 0; i < rows; i++)
        {
            int row = list == null ? block + i : list[block + i];
            pointers[i] = referenceRows[row];
            pointers[rows + i] = alignedRows[row];
        }

        int from = tile * Tile, count = Math.Min(Tile, Vocabulary - from);
        float* reference = logits, aligned = logits + rows * Tile, work = logits + 2 * BlockRows * Tile;
        Project(pointers, rows, from, count, reference, aligned);
        for (int i = 0; i < rows; i++)
        {
            int row = list == null ? block + i : list[block + i];
            float* z = Mixture(row, from, count, reference + i * Tile, aligned + i * Tile, work);
            if (list == null)
            {
                FoldRow(row, tile, from, count, reference + i * Tile, aligned + i * Tile, z, work + Tile);
            }
            else
            {
                ResweepRow(row, tile, from, count, z);
            }
        }
    }

    /// <summary>Logits of both models, bias and cap still missing; pointers holds the reference's rows, then the aligned model's.</summary>
    private readonly void Project(float** pointers, int rows, int from, int count, float* reference, float* aligned)
    {
        if (SharesOutput && !MixesHidden)
        {
            Aligned.Project(pointers, 2 * rows, from, count, reference, Tile);
            return;
        }

        if (Reference.IsPresent && !MixesHidden)
        {
            Reference.Project(pointers, rows, from, count, reference, Tile);
        }

        if (Aligned.IsPresent)
        {
            Aligned.Project(pointers + rows, rows, from, count, aligned, Tile);
        }
    }

    /// <summary>Finishes one row's logits and returns its mixture: <paramref name="mixed"/>, or the one model that is there.</summary>
    private readonly float* Mixture(int row, int from, int count, float* reference, float* aligned, float* mixed)
    {
        if (MixesHidden || !Reference.IsPresent)
        {
            Aligned.Finish(from, count, aligned);
            return aligned;
        }

        Reference.Finish(from, count, reference);
        if (!Aligned.IsPresent)
        {
            return reference;
        }

        Aligned.Finish(from, count, aligned);
        MixtureMath.Mix(reference, aligned, Rows[row].Lambda, mixed, count);
        HeadSide.Pad(mixed, count, float.NegativeInfinity);
        return mixed;
    }

    private readonly int* Waiting(int sweep) => waiting + (sweep & 1) * Count;

    private readonly bool HasBoth => Reference.IsPresent && Aligned.IsPresent && !MixesHidden;
}
