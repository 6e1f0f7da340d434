namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.RopeAndStoreKv"/>: queries in place, keys and values in their slots, all other slots as they were.</summary>
internal static class RopeChecks
{
    private const float Untouched = 7;

    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach (DType? norm in new DType?[] { null, DType.F32, DType.F16, DType.BF16 })
        {
            yield return Case(QkvLayout.Stacked(4, 2, 64), 64, norm, 1);
            yield return Case(QkvLayout.Stacked(3, 1, 20), 20, norm, 1e-4);
            yield return Case(QkvLayout.Stacked(2, 2, 80), 32, norm, 1);
        }

        yield return Case(QkvLayout.Stacked(1, 1, 2), 2, null, 1);
        yield return Case(QkvLayout.Interleaved(3, 16), 4, null, 1);
        yield return Case(QkvLayout.Interleaved(2, 24), 0, null, 1);
        yield return Case(QkvLayout.Stacked(4, 4, 16), 0, null, 1);
        yield return Case(QkvLayout.Stacked(2, 1, 128), 128, DType.BF16, 1);
    }

    private static SelfTestCase Case(QkvLayout layout, int rotary, DType? norm, double deviation)
    {
        string kind = layout.QHeadStride == layout.HeadDim ? "stacked" : "interleaved";
        string name = $"{kind}, {layout.NumHeads} heads over {layout.NumKvHeads}, {rotary} of {layout.HeadDim} rotated, x ~ {deviation}"
            + (norm is { } dtype ? $", head norm {dtype}" : "");
        return new SelfTestCase("RopeAndStoreKv", name, trial =>
        {
            var batch = new PagedBatch(trial.Data, 8, (0, 3), (122, 1), (5, 19), (8, 1));
            int dim = layout.HeadDim, tokens = batch.Tokens.Length, layer = batch.NumBlocks * 8 * layout.NumKvHeads * dim;
            float[,] qkv = trial.Data.Matrix(tokens, layout.Width, deviation);
            float[,] cos = trial.Data.Matrix(tokens, rotary / 2), sin = trial.Data.Matrix(tokens, rotary / 2);
            HostWeight? queryGain = norm is { } q ? trial.Data.Weight(q, 1, dim) : null, keyGain = norm is { } k ? trial.Data.Weight(k, 1, dim) : null;
            const float Epsilon = 1e-6f;

            Expected queries = Heads(layout.NumHeads, layout.QOffset, layout.QHeadStride, true, queryGain);
            Expected keys = InCache(Heads(layout.NumKvHeads, layout.KOffset, layout.KHeadStride, true, keyGain));
            Expected values = InCache(Heads(layout.NumKvHeads, layout.VOffset, layout.VHeadStride, false, null));
            trial.Compare("query", queries, bench => Run(bench).Queries);
            trial.Compare("key cache", keys, bench => Run(bench).Keys);
            trial.Compare("value cache", values, bench => Run(bench).Values);

            (float[,] Queries, float[,] Keys, float[,] Values) Run(Workbench bench)
            {
                Matrix rows = bench.Strided(qkv), keyCache = bench.Matrix(Filled()), valueCache = bench.Matrix(Filled());
                RopeTable? rope = rotary == 0 ? null : new RopeTable(bench.Matrix(cos), bench.Matrix(sin));
                HeadNorm? headNorm = queryGain is null ? null : new HeadNorm(bench.Weight(queryGain, 0), bench.Weight(keyGain!, 0), Epsilon);
                var cache = new KvLayer(keyCache.Buffer, valueCache.Buffer, layer, batch.NumBlocks, 8, layout.NumKvHeads, dim);
                bench.Set.RopeAndStoreKv(rows, layout, rope, headNorm, cache, batch.Upload(bench));
                float[,] after = bench.Read(rows);
                var queryRows = new float[tokens, layout.NumHeads * dim];
                for (int t = 0; t < tokens; t++)
                {
                    for (int i = 0; i < queryRows.GetLength(1); i++)
                    {
                        queryRows[t, i] = after[t, layout.QOffset + i / dim * layout.QHeadStride + i % dim];
                    }
                }

                return (queryRows, bench.Read(keyCache), bench.Read(valueCache));
            }

            float[,] Filled()
            {
                var cache = new float[1, 2 * layer];
                for (int i = 0; i < 2 * layer; i++)
                {
                    cache[0, i] = Untouched;
                }

                return cache;
            }

            Expected Heads(int heads, int offset, int stride, bool rotated, HostWeight? gain)
            {
                Expected all = Expected.Zeros(tokens, heads * dim);
                for (int h = 0; h < heads; h++)
                {
                    var head = new double[tokens, dim];
                    for (int t = 0; t < tokens; t++)
                    {
                        for (int i = 0; i < dim; i++)
                        {
                            head[t, i] = qkv[t, offset + h * stride + i];
                        }
                    }

                    bool turn = rotated && rotary > 0;
                    Expected one = RopeOracle.Compute(
                        head, turn ? Doubles.From(cos) : null, turn ? Doubles.From(sin) : null, gain?.Vector, Epsilon);
                    for (int t = 0; t < tokens; t++)
                    {
                        Array.Copy(one.Value, t * dim, all.Value, (t * heads + h) * dim, dim);
                        Array.Copy(one.Epsilon, t * dim, all.Epsilon, (t * heads + h) * dim, dim);
                    }
                }

                return all;
            }

            // The cache as one row: two layers of which the second is written, and what nobody writes.
            Expected InCache(Expected heads)
            {
                Expected cache = Expected.Of(1, 2 * layer, (_, _) => (Untouched, 0));
                for (int t = 0; t < tokens; t++)
                {
                    (int sequence, int position) = batch.Tokens[t];
                    for (int h = 0; h < layout.NumKvHeads; h++)
                    {
                        int at = layer + batch.CacheIndex(batch.Slot(sequence, position), h, layout.NumKvHeads, dim);
                        Array.Copy(heads.Value, (t * layout.NumKvHeads + h) * dim, cache.Value, at, dim);
                        Array.Copy(heads.Epsilon, (t * layout.NumKvHeads + h) * dim, cache.Epsilon, at, dim);
                    }
                }

                return cache;
            }
        });
    }
}
