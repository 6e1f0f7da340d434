namespace DeRa.Kernels.Verification;

public unsafe partial class NaiveKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueRopeAndStoreKv(
        Matrix qkv, QkvLayout layout, RopeTable? rope, HeadNorm? headNorm, KvLayer cache, DeviceBatch batch)
    {
        for (int t = 0; t < batch.TokenCount; t++)
        {
            float* row = Row(qkv, t);
            int slot = Ints(batch.SlotMapping)[t];
            for (int h = 0; h < layout.NumHeads; h++)
            {
                Prepare(row + layout.QOffset + h * layout.QHeadStride, layout.HeadDim, t, rope, headNorm?.QueryGain, headNorm?.Epsilon ?? 0);
            }

            for (int h = 0; h < layout.NumKvHeads; h++)
            {
                float* key = row + layout.KOffset + h * layout.KHeadStride;
                Prepare(key, layout.HeadDim, t, rope, headNorm?.KeyGain, headNorm?.Epsilon ?? 0);
                long at = CacheIndex(cache, slot / cache.BlockSize, h, slot % cache.BlockSize);
                for (int i = 0; i < layout.HeadDim; i++)
                {
                    Floats(cache.Keys)[at + i] = key[i];
                    Floats(cache.Values)[at + i] = row[layout.VOffset + h * layout.VHeadStride + i];
                }
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueuePagedAttention(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output)
    {
        var scores = new float[batch.MaxContext];
        for (int t = 0; t < batch.TokenCount; t++)
        {
            int position = Ints(batch.Positions)[t];
            int* blocks = Ints(batch.BlockTables) + (long)Ints(batch.SequenceIndex)[t] * batch.MaxBlocks;
            int first = options.Window is { } window ? Math.Max(0, position - window + 1) : 0;
            for (int h = 0; h < layout.NumHeads; h++)
            {
                float* query = Row(qkv, t) + layout.QOffset + h * layout.QHeadStride;
                int kvHead = KvHead(h, layout);
                float max = float.NegativeInfinity, sum = 0;
                for (int j = first; j <= position; j++)
                {
                    float* key = Floats(cache.Keys) + CacheIndex(cache, blocks[j / cache.BlockSize], kvHead, j % cache.BlockSize);
                    float dot = 0;
                    for (int i = 0; i < layout.HeadDim; i++)
                    {
                        dot += query[i] * key[i];
                    }

                    scores[j] = Cap(options.Scale * dot, options.SoftCap);
                    max = MathF.Max(max, scores[j]);
                }

                float* y = Row(output, t) + h * layout.HeadDim;
                new Span<float>(y, layout.HeadDim).Clear();
                for (int j = first; j <= position; j++)
                {
                    float* value = Floats(cache.Values) + CacheIndex(cache, blocks[j / cache.BlockSize], kvHead, j % cache.BlockSize);
                    float weight = MathF.Exp(scores[j] - max);
                    sum += weight;
                    for (int i = 0; i < layout.HeadDim; i++)
                    {
                        y[i] += weight * value[i];
                    }
                }

                for (int i = 0; i < layout.HeadDim; i++)
                {
                    y[i] /= sum;
                }
            }
        }
    }

    /// <summary>Key-value head that query head <paramref name="head"/> reads.</summary>
    protected virtual int KvHead(int head, QkvLayout layout) => head * layout.NumKvHeads / layout.NumHeads;

    private static long CacheIndex(KvLayer cache, int block, int kvHead, int offset) =>
        cache.Offset + (((long)block * cache.NumKvHeads + kvHead) * cache.BlockSize + offset) * cache.HeadDim;

    /// <summary>Normalises and rotates one head in place.</summary>
    private static void Prepare(float* head, int dim, int token, RopeTable? rope, Weight? gain, float epsilon)
    {
        if (gain is { } g)
        {
            float squares = 0;
            for (int i = 0; i < dim; i++)
            {
                squares += head[i] * head[i];
            }

            float inverse = 1 / MathF.Sqrt(squares / dim + epsilon);
            for (int i = 0; i < dim; i++)
            {
                head[i] *= inverse * Element(g, 0, i);
            }
        }

        if (rope is { } r)
        {
            int half = r.RotaryDim / 2;
            for (int i = 0; i < half; i++)
            {
                float cos = Row(r.Cos, token)[i], sin = Row(r.Sin, token)[i], low = head[i], high = head[i + half];
                head[i] = low * cos - high * sin;
                head[i + half] = high * cos + low * sin;
            }
        }
    }
}
