using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Causal attention over paged keys and values. A (token, key-value head) pair is cut into chunks of <see cref="Chunk"/> positions at fixed places;
/// each chunk gives (max, Σe, Σe·v) per query head, and chunks are merged in order of position. With many pairs a worker goes through all chunks
/// of a pair; with few, chunks are handed out singly and merged in a second phase. Both are the same arithmetic, so neither the number of workers
/// nor the batch shows in the bits. Neighbouring tokens of a prompt go through the positions together.
/// Bound: the cache's bandwidth; query heads of one key-value head share every load.
/// </summary>
internal unsafe partial struct PagedAttentionOperation : IOperation<PagedAttentionOperation>
{
    /// <summary>Positions of a chunk.</summary>
    public const int Chunk = 256;

    public float* Qkv;
    public int QkvStride;
    public int Tokens;
    public QkvLayout Layout;
    public float* Keys;
    public float* Values;
    public int BlockSize;
    public int* Positions;
    public int* SequenceIndex;
    public int* BlockTables;
    public int MaxBlocks;
    public float Scale;
    public int Window; // int.MaxValue sees all
    public float SoftCap; // 0 leaves the scores
    public float* Output;
    public int OutputStride;
    public int MaxChunks;

    /// <summary>Floats of one head's partial result: max, Σe, Σe·v.</summary>
    private readonly int StateFloats => 2 + Layout.HeadDim;

    private readonly int Group => Layout.NumHeads / Layout.NumKvHeads;

    /// <summary>Whether chunks are handed out singly: only a matter of speed.</summary>
    private readonly bool IsSplit(int workers) => MaxChunks > 1 && (long)Tokens * Layout.NumKvHeads < 4L * workers;

    /// <summary>Bytes of shared scratch: the partial results when chunks are handed out singly.</summary>
    public readonly long SharedBytes(int workers) =>
        IsSplit(workers) ? (long)Tokens * Layout.NumHeads * MaxChunks * StateFloats * sizeof(float) : 0;

    /// <summary>Bytes of private scratch: scores of a chunk and two partial results per query head of a group.</summary>
    public readonly long PrivateBytes => Math.Max((long)Group * (Chunk + 2 * StateFloats) * sizeof(float), TileBytes);

    public static void Run(PagedAttentionOperation* self, Worker* worker)
    {
        if (self->IsSplit(worker->Count))
        {
            self->RunSplit(worker);
        }
        else if (self->IsTiled)
        {
            self->RunTiled(worker);
        }
        else
        {
            self->RunWhole(worker);
        }
    }

    private readonly void RunWhole(Worker* worker)
    {
        while (worker->Take((long)Tokens * Layout.NumKvHeads, out long pair, out _, grain: 1))
        {
            AttendWhole((int)pair / Layout.NumKvHeads, (int)pair % Layout.NumKvHeads, (float*)worker->Private);
        }
    }

    /// <summary>All positions that a token sees, for all query heads of a key-value head.</summary>
    private readonly void AttendWhole(int token, int kvHead, float* scores)
    {
        float* total = scores + Group * Chunk, part = total + Group * StateFloats;
        Visible(token, out int first, out int end);
        for (int chunk = first / Chunk; chunk * Chunk < end; chunk++)
        {
            bool isFirst = chunk == first / Chunk;
            Attend(token, kvHead, chunk, first, end, scores, isFirst ? total : part);
            if (!isFirst)
            {
                for (int g = 0; g < Group; g++)
                {
                    AttentionMath.Merge(total + g * StateFloats, part + g * StateFloats, Layout.HeadDim);
                }
            }
        }

        for (int g = 0; g < Group; g++)
        {
            Finish(total + g * StateFloats, token, kvHead * Group + g);
        }
    }

    private readonly void RunSplit(Worker* worker)
    {
        int units = Tokens * Layout.NumKvHeads * MaxChunks;
        var parts = (float*)worker->Shared;
        while (worker->Take(units, out long unit, out _, grain: 1))
        {
            int chunk = (int)unit % MaxChunks, head = (int)unit / MaxChunks % Layout.NumKvHeads, token = (int)unit / MaxChunks / Layout.NumKvHeads;
            Visible(token, out int first, out int end);
            if (chunk >= first / Chunk && chunk * Chunk < end)
            {
                Attend(token, head, chunk, first, end, (float*)worker->Private, Part(parts, token, head * Group, chunk));
            }
        }

        worker->Meet();
        while (worker->Take((long)Tokens * Layout.NumHeads, out long from, out long to))
        {
            for (long i = from; i < to; i++)
            {
                MergeChunks(parts, (int)(i / Layout.NumHeads), (int)(i % Layout.NumHeads));
            }
        }
    }

    private readonly void MergeChunks(float* parts, int token, int head)
    {
        Visible(token, out int first, out int end);
        float* total = Part(parts, token, head, first / Chunk);
        for (int chunk = first / Chunk + 1; chunk * Chunk < end; chunk++)
        {
            AttentionMath.Merge(total, Part(parts, token, head, chunk), Layout.HeadDim);
        }

        Finish(total, token, head);
    }

    // [token, kvHead, chunk, group]: the heads of a group are written together.
    private readonly float* Part(float* parts, int token, int head, int chunk) =>
        parts + ((((long)token * Layout.NumKvHeads + head / Group) * MaxChunks + chunk) * Group + head % Group) * StateFloats;

    private readonly void Visible(int token, out int first, out int end)
    {
        end = Positions[token] + 1;
        first = Window >= end ? 0 : end - Window;
    }

    private readonly void Finish(float* state, int token, int head) =>
        AttentionMath.Divide(state + 2, state[1], Output + (long)token * OutputStride + head * Layout.HeadDim, Layout.HeadDim);

    /// <summary>One chunk for all query heads of a key-value head: states [group, StateFloats].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Attend(int token, int kvHead, int chunk, int first, int end, float* scores, float* states)
    {
        int from = Math.Max(first, chunk * Chunk), to = Math.Min(end, (chunk + 1) * Chunk), count = to - from, dim = Layout.HeadDim;
        float* q = Qkv + (long)token * QkvStride + Layout.QOffset + kvHead * Group * Layout.QHeadStride;
        int* blocks = BlockTables + (long)SequenceIndex[token] * MaxBlocks;

        for (int p = from; p < to;)
        {
            int run = Math.Min(to - p, BlockSize - p % BlockSize);
            AttentionMath.Scores(q, Layout.QHeadStride, Group, Keys + Slot(blocks, kvHead, p), run, dim, scores + (p - from), Chunk);
            p += run;
        }

        for (int g = 0; g < Group; g++)
        {
            float* state = states + g * StateFloats;
            AttentionMath.Exponentials(scores + g * Chunk, count, Scale, SoftCap, out state[0], out state[1]);
            new Span<float>(state + 2, dim).Clear();
        }

        for (int p = from; p < to;)
        {
            int run = Math.Min(to - p, BlockSize - p % BlockSize);
            AttentionMath.AddValues(scores + (p - from), Chunk, Group, Values + Slot(blocks, kvHead, p), run, dim, states + 2, StateFloats);
            p += run;
        }
    }

    private readonly long Slot(int* blocks, int kvHead, int position) =>
        (((long)blocks[position / BlockSize] * Layout.NumKvHeads + kvHead) * BlockSize + position % BlockSize) * Layout.HeadDim;
}
