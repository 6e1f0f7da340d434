namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.PagedAttention"/>.</summary>
internal static class AttentionChecks
{
    /// <summary>In blocks and positions that nobody may read: a kernel that does is far off.</summary>
    private const float Garbage = 1000;

    public static IEnumerable<SelfTestCase> Cases()
    {
        (int, int)[] mixed = [(0, 1), (0, 17), (122, 1), (30, 33), (506, 1), (15, 1), (16, 1)];
        yield return Case("one token", QkvLayout.Stacked(1, 1, 8), 4, new(1), (0, 1));
        yield return Case("a prefill of 123", QkvLayout.Stacked(2, 2, 16), 16, new(0.25f), (0, 123));
        yield return Case("chunks and decodes", QkvLayout.Stacked(4, 2, 64), 16, new(0.125f), mixed);
        yield return Case("chunks and decodes, blocks of 4", QkvLayout.Stacked(6, 3, 20), 4, new(0.3f), mixed);
        yield return Case("interleaved heads", QkvLayout.Interleaved(3, 80), 16, new(0.11f), mixed);
        yield return Case("all heads share one", QkvLayout.Stacked(8, 1, 32), 8, new(0.18f), mixed);
        yield return Case("width 128", QkvLayout.Stacked(4, 2, 128), 16, new(0.09f), (0, 3), (123, 1), (5, 40));
        yield return Case("width 256", QkvLayout.Stacked(2, 1, 256), 16, new(0.06f), (0, 3), (123, 1));
        yield return Case("soft cap 5", QkvLayout.Stacked(4, 2, 16), 16, new(0.5f, SoftCap: 5), mixed);
        foreach (int window in new[] { 1, 2, 5, 16, 17, 64, 600 })
        {
            yield return Case($"window {window}", QkvLayout.Stacked(4, 2, 16), 8, new(0.25f, window), mixed);
        }

        yield return Case("window 9 and soft cap 3", QkvLayout.Stacked(4, 4, 24), 16, new(0.25f, 9, 3), mixed);
        yield return Case("large scores", QkvLayout.Stacked(2, 2, 16), 16, new(30), (0, 17), (122, 1));
        yield return Case("equal scores", QkvLayout.Stacked(2, 2, 16), 16, new(0), (0, 17), (122, 1));
        yield return Case("64 decodes", QkvLayout.Stacked(2, 1, 16), 16, new(0.25f), [.. Enumerable.Range(0, 64).Select(i => (7 * i % 100, 1))]);
        foreach (DType type in new[] { DType.BF16, DType.F16 })
        {
            yield return Case("chunks and decodes", QkvLayout.Stacked(4, 2, 64), 16, new(0.125f), type, mixed);
            yield return Case("width 40, window 17, soft cap 3", QkvLayout.Stacked(6, 2, 40), 8, new(0.2f, 17, 3), type, mixed);
            yield return Case("17 heads share one of width 128", QkvLayout.Stacked(17, 1, 128), 16, new(0.09f), type, (0, 3), (123, 1), (60, 9));
            yield return Case("one decode", QkvLayout.Stacked(4, 1, 64), 16, new(0.125f), type, (299, 1));
            yield return Case("interleaved heads of 80", QkvLayout.Interleaved(3, 80), 16, new(0.11f), type, (0, 130), (200, 1));
            yield return Case("chunks and decodes of width 256", QkvLayout.Stacked(4, 2, 256), 16, new(0.06f), type, (0, 17), (122, 1), (60, 9));
            yield return Case("17 heads share one of width 192, window 70", QkvLayout.Stacked(17, 1, 192), 16, new(0.07f, 70), type, (0, 3), (130, 2));
            yield return Case("one decode of width 160, soft cap 5", QkvLayout.Stacked(4, 1, 160), 8, new(0.08f, SoftCap: 5), type, (299, 1));
            yield return Case("interleaved heads of 136, window 33, soft cap 3", QkvLayout.Interleaved(2, 136), 4, new(0.2f, 33, 3), type, (0, 67), (64, 1));
        }

        yield return Case("2,000 positions", QkvLayout.Stacked(2, 1, 16), 16, new(0.25f), (1999, 1), (3, 2));
    }

    private static SelfTestCase Case(
        string name, QkvLayout layout, int blockSize, AttentionOptions options, params (int Cached, int New)[] sequences) =>
        Case(name, layout, blockSize, options, DType.F32, sequences);

    /// <summary>On a set that stores another type than <paramref name="cacheType"/>, the check is one of that type.</summary>
    private static SelfTestCase Case(
        string name, QkvLayout layout, int blockSize, AttentionOptions options, DType cacheType, params (int Cached, int New)[] sequences) =>
        new("PagedAttention", $"{name}: {layout.NumHeads} heads over {layout.NumKvHeads}, width {layout.HeadDim}"
            + (cacheType == DType.F32 ? "" : $", cache {cacheType} where there is one"), trial =>
        {
            DType type = trial.Set.CacheType(layout.HeadDim, cacheType);
            var batch = new PagedBatch(trial.Data, blockSize, sequences);
            int heads = layout.NumHeads, kvHeads = layout.NumKvHeads, dim = layout.HeadDim, tokens = batch.Tokens.Length;
            int layer = batch.NumBlocks * blockSize * kvHeads * dim; // the cache holds two layers; the second is read
            var keys = new float[2 * layer];
            var values = new float[2 * layer];
            Array.Fill(keys, Garbage);
            Array.Fill(values, Garbage);
            float[,] qkv = OperandRounding.Round(trial.Data.Matrix(tokens, layout.Width, deviation: 2), type);
            var pastKeys = new double[sequences.Length, kvHeads][,];
            var pastValues = new double[sequences.Length, kvHeads][,];
            for (int s = 0; s < sequences.Length; s++)
            {
                for (int h = 0; h < kvHeads; h++)
                {
                    int length = sequences[s].Cached + sequences[s].New;
                    float[,] key = OperandRounding.Round(trial.Data.Matrix(length, dim), type);
                    float[,] value = OperandRounding.Round(trial.Data.Matrix(length, dim), type);
                    for (int p = 0; p < length; p++)
                    {
                        int at = layer + batch.CacheIndex(batch.Slot(s, p), h, kvHeads, dim);
                        Buffer.BlockCopy(key, 4 * p * dim, keys, 4 * at, 4 * dim);
                        Buffer.BlockCopy(value, 4 * p * dim, values, 4 * at, 4 * dim);
                    }

                    (pastKeys[s, h], pastValues[s, h]) = (Doubles.From(key), Doubles.From(value));
                }
            }

            Expected expected = Expected.Zeros(tokens, heads * dim);
            for (int t = 0; t < tokens; t++)
            {
                for (int h = 0; h < heads; h++)
                {
                    (int sequence, int position) = batch.Tokens[t];
                    int kvHead = AttentionOracle.KvHead(h, heads, kvHeads);
                    double[] query = [.. Enumerable.Range(0, dim).Select(i => (double)qkv[t, layout.QOffset + h * layout.QHeadStride + i])];
                    Expected head = AttentionOracle.Compute(
                        query, pastKeys[sequence, kvHead], pastValues[sequence, kvHead], position, options, type);
                    Array.Copy(head.Value, 0, expected.Value, (t * heads + h) * dim, dim);
                    Array.Copy(head.Epsilon, 0, expected.Epsilon, (t * heads + h) * dim, dim);
                }
            }

            trial.Compare("output", expected, bench =>
            {
                Matrix output = bench.Strided(new float[tokens, heads * dim]);
                DType stored = bench.Set.CacheType(dim, type);
                var cache = new KvLayer(
                    bench.Cache(keys, stored), bench.Cache(values, stored), layer, batch.NumBlocks, blockSize, kvHeads, dim, stored);
                bench.Set.PagedAttention(bench.Strided(qkv), layout, cache, batch.Upload(bench), options, output);
                return bench.Read(output);
            });
        });
}
