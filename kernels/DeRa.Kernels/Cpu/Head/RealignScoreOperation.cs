using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Statistics of every row under every λ from one sweep over the vocabulary. A unit of work is a segment of the vocabulary (a fixed number of tiles)
/// for a block of rows: each tile is projected once with both models, then folded once per λ. Segments are merged in order in a last phase.
/// Bound: FMA throughput of two projections, plus two passes over 256 logits per (row, tile, λ).
/// </summary>
internal unsafe struct RealignScoreOperation : IOperation<RealignScoreOperation>
{
    private const int Tile = HeadSide.Tile;
    private const int BlockRows = 32;
    private const int MaxSegments = 32; // limits the partial results to 32 per (row, λ)

    public HeadSide Reference;
    public HeadSide Aligned;
    public bool SharesOutput;
    public int Vocabulary;
    public int Count;
    public int* Targets;
    public float* Lambdas;
    public int LambdaCount;
    public ScoreStatistic* Statistics;
    public TargetLogits* Logits;
    private float** referenceRows;
    private float** alignedRows;
    private ExponentialSum* partials; // [segments, rows, lambdas]

    private readonly int Tiles => (Vocabulary + Tile - 1) / Tile;

    private readonly int TilesPerSegment => (Tiles + MaxSegments - 1) / MaxSegments;

    private readonly int Segments => (Tiles + TilesPerSegment - 1) / TilesPerSegment;

    /// <summary>Bytes of shared scratch.</summary>
    public readonly long SharedBytes
    {
        get
        {
            RealignScoreOperation copy = this;
            return copy.Lay(null);
        }
    }

    /// <summary>Bytes of private scratch: a block of logits of both models and one mixture.</summary>
    public static long PrivateBytes => (2 * BlockRows + 1) * Tile * sizeof(float);

    public static void Run(RealignScoreOperation* self, Worker* worker)
    {
        if (worker->Take(1, out _, out _))
        {
            self->Lay(worker->Shared);
        }

        worker->Meet();
        self->Arrange(worker);
        worker->Meet();
        self->Sweep(worker);
        worker->Meet();
        self->Merge(worker);
    }

    private long Lay(byte* start)
    {
        long partialBytes = (long)Segments * Count * LambdaCount * sizeof(ExponentialSum);
        partials = (ExponentialSum*)start;
        referenceRows = (float**)(start + partialBytes);
        alignedRows = referenceRows + Count;
        var reference = (float*)(alignedRows + Count);
        float* aligned = reference + (long)Count * Reference.Padded;
        if (start != null)
        {
            for (int row = 0; row < Count; row++)
            {
                referenceRows[row] = reference + (long)row * Reference.Padded;
                alignedRows[row] = aligned + (long)row * Aligned.Padded;
            }
        }

        return (byte*)(aligned + (long)Count * Aligned.Padded) - start;
    }

    private readonly void Arrange(Worker* worker)
    {
        while (worker->Take(Count, out long from, out long to))
        {
            for (long row = from; row < to; row++)
            {
                Arrangement.Row(Reference.Hidden(row), Reference.K, Reference.SplitsEvenOdd, referenceRows[row]);
                Arrangement.Row(Aligned.Hidden(row), Aligned.K, Aligned.SplitsEvenOdd, alignedRows[row]);
            }
        }
    }

    private readonly void Sweep(Worker* worker)
    {
        int blocks = (Count + BlockRows - 1) / BlockRows;
        while (worker->Take(blocks * Segments, out long unit, out _, grain: 1))
        {
            int segment = (int)unit / blocks, firstRow = (int)unit % blocks * BlockRows, rows = Math.Min(BlockRows, Count - firstRow);
            ExponentialSum* sums = partials + ((long)segment * Count + firstRow) * LambdaCount;
            new Span<ExponentialSum>(sums, rows * LambdaCount).Fill(ExponentialSum.Empty);
            for (int tile = segment * TilesPerSegment; tile < Math.Min((segment + 1) * TilesPerSegment, Tiles); tile++)
            {
                FoldTile(tile, firstRow, rows, (float*)worker->Private, sums);
            }
        }
    }

    [SkipLocalsInit]
    private readonly void FoldTile(int tile, int firstRow, int rows, float* logits, ExponentialSum* sums)
    {
        int from = tile * Tile, count = Math.Min(Tile, Vocabulary - from);
        float* reference = logits, aligned = logits + rows * Tile, z = logits + 2 * BlockRows * Tile;
        if (SharesOutput)
        {
            float** pointers = stackalloc float*[2 * BlockRows];
            for (int i = 0; i < rows; i++)
            {
                pointers[i] = referenceRows[firstRow + i];
                pointers[rows + i] = alignedRows[firstRow + i];
            }

            Reference.Project(pointers, 2 * rows, from, count, reference, Tile);
        }
        else
        {
            Reference.Project(referenceRows + firstRow, rows, from, count, reference, Tile);
            Aligned.Project(alignedRows + firstRow, rows, from, count, aligned, Tile);
        }

        for (int i = 0; i < rows; i++)
        {
            float* r = reference + i * Tile, a = aligned + i * Tile;
            Reference.Finish(from, count, r);
            Aligned.Finish(from, count, a);
            for (int j = 0; j < LambdaCount; j++)
            {
                sums[i * LambdaCount + j].Merge(ScoreMath.Fold(r, a, Lambdas[j], z, count));
            }
        }
    }

    private readonly void Merge(Worker* worker)
    {
        while (worker->Take(Count, out long from, out long to))
        {
            for (long row = from; row < to; row++)
            {
                for (long i = row * LambdaCount; i < (row + 1) * LambdaCount; i++)
                {
                    ExponentialSum total = ExponentialSum.Empty;
                    for (int segment = 0; segment < Segments; segment++)
                    {
                        total.Merge(partials[(long)segment * Count * LambdaCount + i]);
                    }

                    Statistics[i] = new ScoreStatistic { Max = total.Max, Sum = (float)total.Sum, WeightedDifference = (float)total.Weighted };
                }

                Logits[row] = Target(row, Targets[row]);
            }
        }
    }

    /// <summary>The target's logits, projected alone: the same bits as in its tile. NaN for a token outside the vocabulary.</summary>
    private readonly TargetLogits Target(long row, int token)
    {
        if (token < 0 || token >= Vocabulary)
        {
            return new TargetLogits { Reference = float.NaN, Aligned = float.NaN };
        }

        float* z = stackalloc float[Lanes.Count];
        Reference.Project(referenceRows + row, 1, token, 1, z, Lanes.Count);
        Reference.Finish(token, 1, z);
        float reference = z[0];
        Aligned.Project(alignedRows + row, 1, token, 1, z, Lanes.Count);
        Aligned.Finish(token, 1, z);
        return new TargetLogits { Reference = reference, Aligned = z[0] };
    }
}
