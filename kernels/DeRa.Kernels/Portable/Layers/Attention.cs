using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// softmax(softCap(scale·q·k))·v over the visible positions of a token, in chunks with a running maximum and sum (Milakov and Gimelshein, "Online
/// normalizer calculation for softmax", 2018). Bound: bytes of the visible keys and values. One group per token and head; chunks start at the
/// first visible position, so a token's order of sums is its own.
/// </summary>
internal static class AttentionKernel<TForm>
    where TForm : struct, IAttentionForm
{
    public static void Run(AttentionArgs args)
    {
        ArrayView<float> scores = SharedMemory.Allocate<float>(AttentionArgs.Chunk);
        ArrayView<float> sums = SharedMemory.Allocate<float>(AttentionArgs.LargestHeadDim);
        ArrayView<float> scratch = SharedMemory.Allocate<float>(Team.Size);
        int thread = Group.IdxX, dim = args.Layout.HeadDim;
        int token = Grid.IdxX / args.Layout.NumHeads, head = Grid.IdxX % args.Layout.NumHeads;
        int kvHead = head * args.Layout.NumKvHeads / args.Layout.NumHeads;
        int end = args.Positions.At(token) + 1;
        long table = (long)args.SequenceIndex.At(token) * args.MaxBlocks;
        long query = args.Qkv.Row(token) + args.Layout.QOffset + (long)head * args.Layout.QHeadStride;
        for (int i = thread; i < dim; i += Group.DimX)
        {
            sums[i] = 0;
        }

        float max = float.NegativeInfinity, sum = 0;
        for (int from = IntrinsicMath.Max(0, end - args.Window); from < end; from += AttentionArgs.Chunk)
        {
            int count = IntrinsicMath.Min(AttentionArgs.Chunk, end - from);
            TForm.Barrier();
            TForm.Scores(args, table, kvHead, query, from, count, scores);
            TForm.Barrier();
            float largest = TForm.Largest(args, count, scores, scratch);
            largest = largest > max ? largest : max;
            float rescale = MathF.Exp(max - largest);
            sum = sum * rescale + TForm.Weights(largest, count, scores, scratch);
            max = largest;
            for (int i = thread; i < dim; i += Group.DimX)
            {
                sums[i] *= rescale;
            }

            TForm.Accumulate(args, table, kvHead, from, count, scores, sums);
        }

        long output = args.Output.Row(token) + (long)head * dim;
        for (int i = thread; i < dim; i += Group.DimX)
        {
            args.Output.Data[output + i] = sums[i] / sum;
        }
    }
}

/// <summary>The two inner products of attention in a form.</summary>
internal interface IAttentionForm : IGroupForm
{
    /// <summary>scores[j] = q·k of position from + j.</summary>
    static abstract void Scores(AttentionArgs args, long table, int kvHead, long query, int from, int count, ArrayView<float> scores);

    /// <summary>Scores are scaled and capped; the largest of them.</summary>
    static abstract float Largest(AttentionArgs args, int count, ArrayView<float> scores, ArrayView<float> scratch);

    /// <summary>Scores become weights e^(score − largest), which all members see; their sum.</summary>
    static abstract float Weights(float largest, int count, ArrayView<float> scores, ArrayView<float> scratch);

    /// <summary>sums[d] += Σ_j weights[j]·v of position from + j; a work-item touches the elements d ≡ its index alone.</summary>
    static abstract void Accumulate(
        AttentionArgs args, long table, int kvHead, int from, int count, ArrayView<float> weights, ArrayView<float> sums);
}

/// <summary>A work-item owns a position of the keys, then elements of the values, where neighbours are adjacent.</summary>
internal readonly struct CooperativeAttention : IAttentionForm
{
    public static void Barrier() => GroupBarrier.Wait();

    public static void Scores(AttentionArgs args, long table, int kvHead, long query, int from, int count, ArrayView<float> scores)
    {
        for (int i = Group.IdxX; i < count; i += Group.DimX)
        {
            long cell = args.Cell(table, kvHead, from + i);
            float score = 0;
            for (int d = 0; d < args.Layout.HeadDim; d++)
            {
                score += args.Qkv.Data[query + d] * args.Cache.Keys[cell + d];
            }

            scores[i] = score;
        }
    }

    public static float Largest(AttentionArgs args, int count, ArrayView<float> scores, ArrayView<float> scratch)
    {
        float largest = float.NegativeInfinity;
        for (int i = Group.IdxX; i < count; i += Group.DimX)
        {
            float score = scores[i] * args.Scale;
            score = args.SoftCap > 0 ? ActivationMath.SoftCap(score, args.SoftCap) : score;
            scores[i] = score;
            largest = score > largest ? score : largest;
        }

        return Team.Max<CooperativeForm>(scratch, largest);
    }

    public static float Weights(float largest, int count, ArrayView<float> scores, ArrayView<float> scratch)
    {
        float part = 0;
        for (int i = Group.IdxX; i < count; i += Group.DimX)
        {
            float weight = MathF.Exp(scores[i] - largest);
            scores[i] = weight;
            part += weight;
        }

        return Team.Sum<CooperativeForm>(scratch, part); // the sum's barriers publish the weights
    }

    public static void Accumulate(
        AttentionArgs args, long table, int kvHead, int from, int count, ArrayView<float> weights, ArrayView<float> sums)
    {
        for (int d = Group.IdxX; d < args.Layout.HeadDim; d += Group.DimX)
        {
            float sum = sums[d];
            for (int i = 0; i < count; i++)
            {
                sum += weights[i] * args.Cache.Values[args.Cell(table, kvHead, from + i) + d];
            }

            sums[d] = sum;
        }
    }
}

/// <summary>Arguments of <see cref="AttentionKernel{TForm}"/>.</summary>
internal struct AttentionArgs
{
    /// <summary>Positions between two updates of the running maximum.</summary>
    public const int Chunk = 128;

    /// <summary>Most elements of a head that the shared memory is laid out for.</summary>
    public const int LargestHeadDim = 512;

    public MatrixView Qkv;
    public QkvLayout Layout;
    public CacheView Cache;
    public IntView Positions;
    public IntView SequenceIndex;
    public IntView BlockTables;
    public int MaxBlocks;
    public float Scale;
    public int Window;
    public float SoftCap;
    public MatrixView Output;

    /// <summary>First float of a position's key or value.</summary>
    public readonly long Cell(long table, int kvHead, int position) =>
        Cache.Cell(BlockTables.At(table + position / Cache.BlockSize), kvHead) + (long)(position % Cache.BlockSize) * Cache.HeadDim;

    /// <summary>Positions from this one on that lie in its cache block, at most <paramref name="limit"/>.</summary>
    public readonly int RunLength(int position, int limit) =>
        IntrinsicMath.Min(limit, Cache.BlockSize - position % Cache.BlockSize);
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueuePagedAttention(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output)
    {
        Guard.AtMost(layout.HeadDim, AttentionArgs.LargestHeadDim, "head dimension");
        LaunchInOrder<AttentionArgs>(
            form == KernelForm.Serial ? AttentionKernel<SerialAttention>.Run : AttentionKernel<CooperativeAttention>.Run,
            (long)batch.TokenCount * layout.NumHeads,
            Arguments(qkv, layout, cache, batch, options, output));
    }

    private protected AttentionArgs Arguments(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output) => new()
        {
            Qkv = View(qkv),
            Layout = layout,
            Cache = View(cache),
            Positions = View(batch.Positions),
            SequenceIndex = View(batch.SequenceIndex),
            BlockTables = View(batch.BlockTables),
            MaxBlocks = batch.MaxBlocks,
            Scale = options.Scale,
            Window = options.Window ?? int.MaxValue,
            SoftCap = options.SoftCap ?? 0,
            Output = View(output),
        };
}
