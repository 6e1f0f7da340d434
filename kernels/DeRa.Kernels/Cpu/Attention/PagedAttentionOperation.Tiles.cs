using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

// Prompts: neighbouring tokens of a sequence see almost the same positions, so they go through them together. Keys are turned once per tile, which makes
// positions the lanes; every score and every output element is still made of the same operations in the same order as for a token alone.
internal unsafe partial struct PagedAttentionOperation
{
    private const int TileTokens = 32; // tokens of a tile, where each has one row of queries
    private const int TileRows = 32; // rows of queries, where a key-value head has several: scores of a chunk take 34 KB
    private const int LeastTokens = 4; // fewer are not worth turning keys for
    private const int ScoreStride = Chunk + AttentionTile.Positions;

    private readonly int TokensPerTile => Math.Clamp(TileRows / Group, LeastTokens, TileTokens);

    private readonly int RowsPerTile => TokensPerTile * Group;

    /// <summary>Whether the step has more tokens than sequences that decode can have: only a matter of speed.</summary>
    private readonly bool IsTiled => Tokens >= LeastTokens;

    private readonly long TileBytes => IsTiled
        ? ((long)RowsPerTile * (ScoreStride + (2 * StateFloats)) + (long)AttentionTile.Positions * Layout.HeadDim) * sizeof(float)
        : 0;

    private readonly void RunTiled(Worker* worker)
    {
        int perTile = TokensPerTile, tiles = (Tokens + perTile - 1) / perTile;
        while (worker->Take((long)tiles * Layout.NumKvHeads, out long unit, out _, grain: 1))
        {
            // Later tokens see more positions: they come first, so that what is left at the end is short.
            int tile = tiles - 1 - (int)unit / Layout.NumKvHeads, head = (int)unit % Layout.NumKvHeads;
            int token = tile * perTile, end = Math.Min(token + perTile, Tokens);
            while (token < end)
            {
                int count = Neighbours(token, end);
                if (count < LeastTokens)
                {
                    for (int i = 0; i < count; i++)
                    {
                        AttendWhole(token + i, head, (float*)worker->Private);
                    }
                }
                else
                {
                    AttendTile(token, count, head, (float*)worker->Private);
                }

                token += count;
            }
        }
    }

    /// <summary>Tokens from <paramref name="token"/> on that follow one another in one sequence.</summary>
    private readonly int Neighbours(int token, int end)
    {
        int count = 1;
        while (token + count < end && SequenceIndex[token + count] == SequenceIndex[token] && Positions[token + count] == Positions[token] + count)
        {
            count++;
        }

        return count;
    }

    /// <summary>Neighbouring tokens, all query heads of a key-value head; rows [tokens, group].</summary>
    [SkipLocalsInit]
    private readonly void AttendTile(int token, int count, int kvHead, float* scratch)
    {
        int dim = Layout.HeadDim, rows = count * Group;
        float* scores = scratch, totals = scores + RowsPerTile * ScoreStride, parts = totals + RowsPerTile * StateFloats;
        float* turned = parts + RowsPerTile * StateFloats;
        float** queries = stackalloc float*[rows];
        for (int row = 0; row < rows; row++)
        {
            queries[row] = Qkv + (long)(token + row / Group) * QkvStride + Layout.QOffset + (kvHead * Group + row % Group) * Layout.QHeadStride;
        }

        Visible(token, out int tileFirst, out _);
        Visible(token + count - 1, out _, out int tileEnd);
        for (int chunk = tileFirst / Chunk; chunk * Chunk < tileEnd; chunk++)
        {
            ScoreChunk(token, kvHead, Math.Max(tileFirst, chunk * Chunk), Math.Min(tileEnd, (chunk + 1) * Chunk), chunk, queries, rows, turned, scores);
            for (int row = 0; row < rows; row++)
            {
                Visible(token + row / Group, out int first, out int end);
                int from = Math.Max(first, chunk * Chunk), to = Math.Min(end, (chunk + 1) * Chunk);
                if (from < to)
                {
                    float* state = (chunk == first / Chunk ? totals : parts) + row * StateFloats;
                    float* score = scores + row * ScoreStride + from - chunk * Chunk;
                    AttentionMath.Exponentials(score, to - from, Scale, SoftCap, out state[0], out state[1]);
                    new Span<float>(state + 2, dim).Clear();
                }
            }

            AddChunk(token, count, kvHead, chunk, scores, totals, parts);
            MergeChunk(token, rows, chunk, totals, parts);
        }

        for (int row = 0; row < rows; row++)
        {
            Finish(totals + row * StateFloats, token + row / Group, kvHead * Group + row % Group);
        }
    }

    /// <summary>Scores of all rows at the positions from … to of a chunk, each at its place in the chunk.</summary>
    private readonly void ScoreChunk(
        int token, int kvHead, int from, int to, int chunk, float** queries, int rows, float* turned, float* scores)
    {
        int* blocks = BlockTables + (long)SequenceIndex[token] * MaxBlocks;
        for (int p = from; p < to;)
        {
            int run = Math.Min(Math.Min(to - p, BlockSize - p % BlockSize), AttentionTile.Positions);
            AttentionTile.Turn(Keys + Slot(blocks, kvHead, p), run, Layout.HeadDim, turned);
            AttentionTile.Scores(queries, rows, turned, Layout.HeadDim, scores + p - chunk * Chunk, ScoreStride);
            p += run;
        }
    }

    /// <summary>
    /// Adds weighted values of a chunk. Positions that all tokens of the tile see are added for four rows at a time, those at the edges for each row alone,
    /// before and after, so that every row takes its own positions in order and no others.
    /// </summary>
    private readonly void AddChunk(int token, int count, int kvHead, int chunk, float* scores, float* totals, float* parts)
    {
        int* blocks = BlockTables + (long)SequenceIndex[token] * MaxBlocks;
        int rows = count * Group, start = chunk * Chunk;
        Visible(token, out _, out int commonEnd);
        Visible(token + count - 1, out int commonFirst, out _);
        for (int block = 0, together; block < rows; block += together)
        {
            together = rows - block >= 4 && IsSameState(token, block, chunk) ? 4 : 1;
            Visible(token + block / Group, out int first, out int end);
            Visible(token + (block + together - 1) / Group, out int lastFirst, out int lastEnd);
            float* states = (chunk == first / Chunk ? totals : parts) + block * StateFloats + 2;
            float* weights = scores + block * ScoreStride - start;
            int from = Math.Max(together == 1 ? first : commonFirst, start), to = Math.Min(together == 1 ? end : commonEnd, start + Chunk);
            if (together == 1 || from >= to)
            {
                for (int row = block; row < block + together; row++)
                {
                    Visible(token + row / Group, out int own, out int ownEnd);
                    AddRun(blocks, kvHead, Math.Max(own, start), Math.Min(ownEnd, start + Chunk), weights + (row - block) * ScoreStride, 1, states + (row - block) * StateFloats);
                }

                continue;
            }

            for (int row = block; row < block + together; row++)
            {
                Visible(token + row / Group, out int own, out _);
                AddRun(blocks, kvHead, Math.Max(own, start), from, weights + (row - block) * ScoreStride, 1, states + (row - block) * StateFloats);
            }

            AddRun(blocks, kvHead, from, to, weights, together, states);
            for (int row = block; row < block + together; row++)
            {
                Visible(token + row / Group, out _, out int ownEnd);
                AddRun(blocks, kvHead, to, Math.Min(ownEnd, start + Chunk), weights + (row - block) * ScoreStride, 1, states + (row - block) * StateFloats);
            }
        }
    }

    /// <summary>Whether four rows from <paramref name="row"/> on begin in the same chunk or all in earlier ones.</summary>
    private readonly bool IsSameState(int token, int row, int chunk)
    {
        Visible(token + row / Group, out int first, out _);
        Visible(token + (row + 3) / Group, out int last, out _);
        return chunk == first / Chunk == (chunk == last / Chunk);
    }

    private readonly void AddRun(int* blocks, int kvHead, int from, int to, float* weights, int rows, float* states)
    {
        for (int p = from; p < to;)
        {
            int run = Math.Min(to - p, BlockSize - p % BlockSize);
            AttentionMath.AddValues(
                weights + p, ScoreStride, rows, Values + Slot(blocks, kvHead, p), run, Layout.HeadDim, states, StateFloats);
            p += run;
        }
    }

    private readonly void MergeChunk(int token, int rows, int chunk, float* totals, float* parts)
    {
        for (int row = 0; row < rows; row++)
        {
            Visible(token + row / Group, out int first, out int end);
            if (chunk > first / Chunk && chunk * Chunk < end)
            {
                AttentionMath.Merge(totals + row * StateFloats, parts + row * StateFloats, Layout.HeadDim);
            }
        }
    }
}
