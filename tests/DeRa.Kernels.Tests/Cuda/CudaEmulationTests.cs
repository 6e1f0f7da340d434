using System.Runtime.InteropServices;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Verification;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>
/// The CUDA set's own kernels, executed without a GPU: a thread for each work-item, warps that meet at every warp-wide instruction, asynchronous copies
/// that arrive no sooner than their wait. What it shows is the data flow: fragment layouts, tiles and edges, segments, stages, merges. What it cannot
/// show is the tensor core's own rounding.
/// </summary>
internal sealed class CudaEmulationTests
{
    private CudaKernelSet set = null!;

    private static readonly string[] Scores =
    [
        "BF16 [5, 1000], widths 48 and 48, shared output, 4 lambdas", "F16 [5, 1001], widths 48 and 64, bias, soft cap 6, 33 lambdas",
    ];

    private static IEnumerable<SelfTestCase> Checks => SelfTest.Cases.Where(c =>
        (c.Operation == "Linear" && IsOwn(c.Name))
        || (c.Operation == "PagedAttention" && c.Name.Contains("cache", StringComparison.Ordinal))
        || IsFusion(c)
        || (c.Operation == "RealignScore" && Scores.Contains(c.Name)));

    [OneTimeSetUp]
    public void Open() => set = new CudaKernelSet(DeviceContext.EmulateWarps(), CudaArchitecture.SM_80);

    [OneTimeTearDown]
    public void Close() => set?.Dispose();

    [TestCaseSource(nameof(Checks))]
    public void Passes(SelfTestCase check)
    {
        SelfTestResult result = check.Run(set);
        Assert.That(result.Passed, Is.True, result.Message);
    }

    /// <summary>
    /// The head's own part of the work, projections of both models into the tile: rows that do not cut, because a cut's search is Portable's code and
    /// costs hundreds of barriers a row, which emulation takes minutes for.
    /// </summary>
    [TestCase(DType.BF16, 64, 48, false)]
    [TestCase(DType.F16, 40, 40, true)]
    [TestCase(DType.BF16, 20, 37, false)]
    public void The_head_draws_what_its_definition_says(DType dtype, int referenceWidth, int alignedWidth, bool shared)
    {
        HeadShape shape = new(dtype, 18, 300, referenceWidth, alignedWidth) { Shared = shared, Bias = true, Padding = 4 };
        using var naive = new NaiveKernelSet();
        var trial = new Trial(set, naive, new TestData($"head {dtype}"), 2);
        HeadRow[] rows =
        [
            .. Enumerable.Range(0, shape.Rows).Select(i => HeadRow.Greedy(i * 0.25f - 0.5f) with
            {
                Temperature = i % 3 * 0.5f, SeedLow = 5, Stream = (uint)i, Position = 7 * i,
            }),
        ];
        HeadData head = HeadData.Random(trial.Data, shape, rows, []).For(trial);
        (HeadOutcome got, HeadOutcome reference) = trial.Both(bench => HeadOutcome.Fused(bench, head));
        got.Check(trial, head, reference, fused: true);
        SelfTestResult result = trial.Result("RealignHead", shape.ToString());
        Assert.That(result.Passed, Is.True, result.Message);
    }

    /// <summary>More rows than one group finishes at once, in one model and in both, against few rows of them: 66 rows take two groups of a tile.</summary>
    [TestCase(66, 40, 72)]
    [TestCase(20, 264, 264)]
    [TestCase(18, 123, 36)]
    public void A_row_scores_and_draws_alike_alone_and_among_others(int count, int referenceWidth, int alignedWidth)
    {
        TestData data = new("wide head");
        var shape = new HeadShape(DType.BF16, count, 140, referenceWidth, alignedWidth) { Bias = true };
        HeadRow[] rows = [.. Enumerable.Range(0, count).Select(i => HeadRow.Greedy(i * 0.1f) with { Temperature = i % 2, SeedLow = 3, Stream = (uint)i })];
        HeadData head = HeadData.Random(data, shape, rows, []);
        int[] targets = data.Indices(count, 140);
        byte[][] all = Run(0, count);
        foreach ((int start, int some) in new[] { (0, 1), (count - 3, 3) })
        {
            Assert.That(Run(start, some), Is.EqualTo(all[start..(start + some)]), $"rows {start} … {start + some}");
        }

        byte[][] Run(int start, int some)
        {
            using var bench = new Workbench(set);
            (HeadModel? reference, HeadModel? aligned) = head.Upload(bench);
            (HeadModel r, HeadModel a) = (Window(reference!, start, some), Window(aligned!, start, some));
            DeviceBuffer statistics = bench.Buffer<ScoreStatistic>(new ScoreStatistic[3 * some]), logits = bench.Buffer<TargetLogits>(new TargetLogits[some]);
            DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[some]), own = bench.Buffer<HeadRow>(rows.AsSpan(start, some));
            bench.Set.RealignScore(r, a, 140, bench.Ints(targets[start..(start + some)]), bench.Buffer<float>([0, 1, 1.7f]), 3, statistics, logits);
            bench.Set.RealignHead(r, a, 140, own, bench.Buffer<TokenAdjustment>([]), true, results, null);
            bench.Set.Run();
            byte[][] parts =
            [
                MemoryMarshal.AsBytes<ScoreStatistic>(bench.Read<ScoreStatistic>(statistics, 3 * some)).ToArray(),
                MemoryMarshal.AsBytes<TargetLogits>(bench.Read<TargetLogits>(logits, some)).ToArray(),
                MemoryMarshal.AsBytes<HeadResult>(bench.Read<HeadResult>(results, some)).ToArray(),
            ];
            return [.. Enumerable.Range(0, some).Select(i => parts.SelectMany(p => p.AsSpan(p.Length / some * i, p.Length / some).ToArray()).ToArray())];
        }

        static HeadModel Window(HeadModel model, int start, int some) => model with
        {
            Hidden = model.Hidden with { Offset = model.Hidden.Offset + (long)start * model.Hidden.RowStride, Rows = some },
        };
    }

    /// <summary>Partial sums and rounded inputs of few rows and of tiles are what the estimate of a step says, or less.</summary>
    [Test]
    public void Projections_keep_no_more_than_their_estimate()
    {
        const int Outputs = 40, Depth = 296, Rows = 20;
        using var own = new CudaKernelSet(DeviceContext.EmulateWarps(), CudaArchitecture.SM_80);
        using var bench = new Workbench(own);
        TestData data = new("scratch");
        Matrix x = bench.Matrix(data.Matrix(Rows, Depth));
        Weight weight = bench.Weight(data.Weight(DType.BF16, Outputs, Depth), 0);
        foreach (int rows in (int[])[5, Rows])
        {
            own.Linear(x.Take(rows), weight, null, bench.Matrix(new float[rows, Outputs]));
            own.Run();
        }

        const long Rounding = 4 * 256; // of every buffer, to its alignment
        Assert.That(own.ScratchBytes, Is.Positive.And.LessThanOrEqualTo(own.ScratchEstimate(new StepScratch(Rows, 0, 1, [(Outputs, Depth)])) + Rounding));
    }

    /// <summary>The same row through every form: alone, beside others in the form for few rows, in tiles, with segments apart and together.</summary>
    [TestCase(DType.BF16, 40, 296)]
    [TestCase(DType.F16, 9, 100)]
    [TestCase(DType.BF16, 24, 275)]
    public void A_row_has_the_same_bits_in_every_form(DType dtype, int outputs, int depth)
    {
        TestData data = new("forms");
        float[,] x = data.Matrix(133, depth);
        HostWeight weight = data.Weight(dtype, outputs, depth), bias = data.Weight(dtype, 1, outputs);
        float[,] all = Project(x, 0, 133);
        foreach ((int start, int count) in new[] { (0, 1), (131, 2), (60, 9), (90, 17) })
        {
            float[,] some = Project(x, start, count);
            for (int row = 0; row < count; row++)
            {
                for (int output = 0; output < outputs; output++)
                {
                    Assert.That(some[row, output], Is.EqualTo(all[start + row, output]), $"rows {start} … {start + count}: [{row}, {output}]");
                }
            }
        }

        float[,] Project(float[,] rows, int start, int count)
        {
            using var bench = new Workbench(set);
            Matrix from = bench.Matrix(rows) with { Offset = (long)start * depth, Rows = count }, y = bench.Zeros(count, outputs);
            bench.Set.Linear(from, bench.Weight(weight, 0), bench.Weight(bias, 0), y);
            return bench.Read(y);
        }
    }

    /// <summary>
    /// A pre-norm layer with a gated MLP: q, k and v in one launch, the norms after attention and MLP with the projections before them, gate, up and
    /// activation in one. Rounding for the form for many rows takes a launch for each input.
    /// </summary>
    [TestCase(1, 6, 32, 24)]
    [TestCase(4, 6, 32, 24)]
    [TestCase(5, 8, 32, 24)]
    [TestCase(17, 12, 32, 24)]
    [TestCase(1, 6, 36, 37)]
    [TestCase(17, 12, 36, 37)]
    public void A_layer_takes_few_launches(int tokens, int launches, int hidden, int intermediate)
    {
        const int HeadDim = 16;
        TestData data = new("layer");
        using var bench = new Workbench(set);
        QkvLayout layout = QkvLayout.Stacked(2, 1, HeadDim);
        DeviceBatch batch = new PagedBatch(data, 16, (0, tokens)).Upload(bench, 0, tokens);
        var angles = new RopeTable(bench.Matrix(data.Matrix(tokens, HeadDim / 2)), bench.Matrix(data.Matrix(tokens, HeadDim / 2)));
        DeviceBuffer keys = bench.Buffer<byte>(new byte[4 * 16 * HeadDim * 2]), values = bench.Buffer<byte>(new byte[4 * 16 * HeadDim * 2]);
        var cache = new KvLayer(keys, values, 0, 4, 16, 1, HeadDim, DType.BF16);
        Matrix x = bench.Matrix(data.Matrix(tokens, hidden)), normed = bench.Zeros(tokens, hidden), qkv = bench.Zeros(tokens, layout.Width);
        Matrix attended = bench.Zeros(tokens, 32), gateUp = bench.Zeros(tokens, 2 * intermediate), inner = bench.Zeros(tokens, intermediate);
        Weight gain = New(1, hidden), query = New(32, hidden), key = New(16, hidden), value = New(16, hidden), output = New(hidden, 32);
        Weight gate = New(intermediate, hidden), up = New(intermediate, hidden), down = New(hidden, intermediate);
        set.RmsNorm(x, gain, 1e-5f, false, normed); // the layer before does it for this one
        set.Run();
        long before = set.LaunchCount;

        set.Linear(normed, query, null, qkv.Slice(0, 32));
        set.Linear(normed, key, null, qkv.Slice(32, 16));
        set.Linear(normed, value, null, qkv.Slice(48, 16));
        set.RopeAndStoreKv(qkv, layout, angles, null, cache, batch);
        set.PagedAttention(qkv, layout, cache, batch, new AttentionOptions(0.25f), attended);
        set.Linear(attended, output, null, x, accumulate: true);
        set.RmsNorm(x, gain, 1e-5f, false, normed);
        set.GatedLinear(normed, gate, null, up, null, ActivationKind.Silu, gateUp, inner);
        set.Linear(inner, down, null, x, accumulate: true);
        set.RmsNorm(x, gain, 1e-5f, false, normed);
        set.Run();
        Assert.That(set.LaunchCount - before, Is.EqualTo(launches));

        Weight New(int rows, int columns) => bench.Weight(data.Weight(DType.BF16, rows, columns), 0);
    }

    /// <summary>The rows of a prompt that something is drawn from: no launch to gather them, and none saved of the projection before.</summary>
    [Test]
    public void The_last_rows_are_normalised_where_they_lie()
    {
        TestData data = new("last rows");
        using var bench = new Workbench(set);
        Matrix x = bench.Matrix(data.Matrix(5, 32)), y = bench.Zeros(2, 32), z = bench.Zeros(2, 32), from = bench.Matrix(data.Matrix(5, 24));
        Weight gain = bench.Weight(data.Weight(DType.BF16, 1, 32), 0), down = bench.Weight(data.Weight(DType.BF16, 32, 24), 0);
        IntVector rows = bench.Ints([4, 1]);
        long before = set.LaunchCount;
        set.Linear(from, down, null, x, accumulate: true);
        set.RmsNormRows(x, rows, gain, 1e-5f, false, y);
        set.LayerNormRows(x, rows, gain, null, 1e-5f, z);
        set.Run();
        Assert.That(set.LaunchCount - before, Is.EqualTo(3));
    }

    /// <summary>Chunks of the cache in registers, where two tiles keep the emulated device busy, or shared out and merged through memory.</summary>
    [TestCase(64, 4, null)]
    [TestCase(128, 4, 100)]
    [TestCase(168, 2, null)]
    [TestCase(256, 2, 100)]
    public void A_token_attends_alike_alone_and_among_others(int headDim, int kvHeads, int? window)
    {
        const int Tokens = 9;
        TestData data = new("attention forms");
        QkvLayout layout = QkvLayout.Stacked(2 * kvHeads, kvHeads, headDim);
        var batch = new PagedBatch(data, 16, (150, Tokens));
        float[,] qkv = data.Matrix(Tokens, layout.Width);
        float[] keys = [.. data.Matrix(16 * batch.NumBlocks, kvHeads * headDim).Cast<float>()];
        float[] values = [.. data.Matrix(16 * batch.NumBlocks, kvHeads * headDim).Cast<float>()];
        float[,] all = Attend(0, Tokens);
        foreach ((int start, int count) in new[] { (0, 1), (8, 1), (3, 4) })
        {
            float[,] some = Attend(start, count);
            for (int token = 0; token < count; token++)
            {
                for (int i = 0; i < some.GetLength(1); i++)
                {
                    Assert.That(some[token, i], Is.EqualTo(all[start + token, i]), $"tokens {start} … {start + count}: [{token}, {i}]");
                }
            }
        }

        float[,] Attend(int start, int count)
        {
            using var bench = new Workbench(set);
            var cache = new KvLayer(
                bench.Cache(keys, DType.BF16), bench.Cache(values, DType.BF16), 0, batch.NumBlocks, 16, kvHeads, headDim, DType.BF16);
            Matrix rows = bench.Matrix(qkv) with { Offset = (long)start * layout.Width, Rows = count };
            Matrix output = bench.Zeros(count, layout.NumHeads * headDim);
            bench.Set.PagedAttention(rows, layout, cache, batch.Upload(bench, start, count), new AttentionOptions(0.125f, window), output);
            return bench.Read(output);
        }
    }

    /// <summary>What a sequence has not written, and what another has, does not reach it, be it NaN or infinite; its own does.</summary>
    [TestCase(64, DType.BF16, float.NaN)]
    [TestCase(128, DType.F16, float.PositiveInfinity)]
    [TestCase(256, DType.BF16, float.NaN)]
    [TestCase(200, DType.F16, float.PositiveInfinity)]
    public void Not_a_number_stays_in_its_sequence(int headDim, DType type, float poison)
    {
        TestData data = new("poison");
        QkvLayout layout = QkvLayout.Stacked(2, 1, headDim);
        var batch = new PagedBatch(data, 16, (70, 3), (5, 2));
        float[,] qkv = data.Matrix(batch.Tokens.Length, layout.Width);
        float[] keys = [.. data.Matrix(16 * batch.NumBlocks, headDim).Cast<float>()], values = [.. data.Matrix(16 * batch.NumBlocks, headDim).Cast<float>()];
        float[,] clean = Attend();
        HashSet<int> own = [.. Enumerable.Range(0, 73).Select(position => batch.Slot(0, position))];
        for (int slot = 0; slot < 16 * batch.NumBlocks; slot++)
        {
            if (!own.Contains(slot))
            {
                keys.AsSpan(slot * headDim, headDim).Fill(poison);
                values.AsSpan(slot * headDim, headDim).Fill(poison);
            }
        }

        float[,] poisoned = Attend();
        for (int token = 0; token < poisoned.GetLength(0); token++)
        {
            float[] row = Row(poisoned, token);
            if (token < 3)
            {
                Assert.That(row, Is.EqualTo(Row(clean, token)).And.All.Matches<float>(float.IsFinite), $"token {token}");
            }
            else
            {
                Assert.That(row, Has.All.Matches<float>(value => !float.IsFinite(value)), $"token {token}");
            }
        }

        float[,] Attend()
        {
            using var bench = new Workbench(set);
            var cache = new KvLayer(bench.Cache(keys, type), bench.Cache(values, type), 0, batch.NumBlocks, 16, 1, headDim, type);
            Matrix output = bench.Zeros(batch.Tokens.Length, layout.NumHeads * headDim);
            bench.Set.PagedAttention(bench.Matrix(qkv), layout, cache, batch.Upload(bench), new AttentionOptions(0.1f), output);
            return bench.Read(output);
        }

        static float[] Row(float[,] matrix, int row) => [.. Enumerable.Range(0, matrix.GetLength(1)).Select(i => matrix[row, i])];
    }

    /// <summary>Which heads have a 16-bit cache, and with it tensor cores.</summary>
    [TestCase(8, DType.BF16)]
    [TestCase(136, DType.BF16)]
    [TestCase(256, DType.BF16)]
    [TestCase(132, DType.F32)]
    [TestCase(264, DType.F32)]
    public void Heads_of_up_to_256_in_multiples_of_8_have_a_16_bit_cache(int headDim, DType cache) =>
        Assert.That(set.CacheType(headDim, DType.BF16), Is.EqualTo(cache));

    // One type: what differs between the two is covered by the forms.
    private static bool IsFusion(SelfTestCase check) => check.Name.Contains("BF16", StringComparison.Ordinal)
        && (check.Operation == "GatedLinear"
            || check.Name.Contains("of one x", StringComparison.Ordinal) || check.Name.Contains("after the Linear", StringComparison.Ordinal));

    private static bool IsOwn(string name) =>
        (name.StartsWith("forms:", StringComparison.Ordinal) || name.StartsWith("rounds", StringComparison.Ordinal))
        && !name.Contains("F32", StringComparison.Ordinal);
}
