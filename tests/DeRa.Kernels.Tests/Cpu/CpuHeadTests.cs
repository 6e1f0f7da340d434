using System.Runtime.InteropServices;
using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>The fused head on the Cpu set: the same bits however the work is cut, and the same tokens as the unfused program.</summary>
[TestFixture]
public sealed class CpuHeadTests
{
    private const int Rows = 40, ReferenceWidth = 48, AlignedWidth = 35, Vocabulary = 3001;

    private static readonly TokenAdjustment[] Entries =
    [
        new() { TokenId = 0, InContext = 1, OutputCount = 2, Bias = 0.5f },
        new() { TokenId = 255, Bias = float.NegativeInfinity },
        new() { TokenId = 256, InContext = 1, Bias = 3 },
        new() { TokenId = Vocabulary - 1, OutputCount = 1, Bias = 4 },
    ];

    /// <summary>Every kind of row, spread over λ; cuts from those that the first sweep settles to those that take all sweeps.</summary>
    private static HeadRow[] Options() =>
    [
        .. Enumerable.Range(0, Rows).Select(i =>
        {
            HeadRow row = HeadRow.Greedy(new[] { 0f, 0.3f, 1f, 2.5f }[i % 4]);
            (row.Temperature, row.TopK, row.TopP, row.MinP) = (i % 10) switch
            {
                0 => (0f, 0, 1f, 0f),
                1 => (1f, 0, 1f, 0f),
                2 => (0.7f, 5, 1f, 0f),
                3 => (2f, 1500, 1f, 0f),
                4 => (0.1f, 0, 0.5f, 0f),
                5 => (5f, 0, 0.95f, 0f),
                6 => (1f, 0, 1f, 0.2f),
                7 => (3f, 2000, 0.9f, 0.001f),
                8 => (1f, 40, 0.8f, 0.05f),
                _ => (1f, Vocabulary, 1e-9f, 0f),
            };
            row.SeedLow = 7;
            row.Stream = (uint)i;
            row.Position = 3 * i;
            row.AdjustmentCount = i % 3 == 0 ? Entries.Length : 0;
            row.RepetitionPenalty = 1.3f;
            row.PresencePenalty = 0.2f;
            row.FrequencyPenalty = 0.1f;
            row.TopTokens = i % 5 == 4 ? 32 : i % 5;
            return row;
        }),
    ];

    [Test]
    public void Results_have_the_same_bits_for_any_batch_and_any_number_of_workers([Values] bool sharedOutput, [Values] bool statistics)
    {
        (HeadResult[] Results, TopToken[] Top)? expected = null;
        foreach (int workers in new[] { 1, 2, 3 })
        {
            using var set = new CpuKernelSet(workers);
            using var problem = new Problem(set, sharedOutput);
            (HeadResult[] Results, TopToken[] Top) all = problem.Head(0, Rows, statistics);
            expected ??= all;
            AssertSameBits(all.Results, expected.Value.Results, $"{workers} workers");
            AssertSameBits(all.Top, expected.Value.Top, $"{workers} workers");
            foreach ((int from, int count) in new[] { (0, 1), (3, 1), (5, 2), (17, 7), (7, 33) })
            {
                (HeadResult[] Results, TopToken[] Top) some = problem.Head(from, count, statistics);
                AssertSameBits(some.Results, all.Results.AsSpan(from, count), $"{workers} workers, rows {from} to {from + count}");
            }
        }

        Assert.That(expected!.Value.Results.Count(r => r.ExtraSweeps == 1), Is.InRange(4, Rows - 4), "both ways must be taken");
        Assert.That(expected.Value.Results.Select(r => r.TopCount), Is.EqualTo(Options().Select(o => o.TopTokens)));
    }

    [Test]
    public void Tokens_are_those_of_the_unfused_program([Values] bool sharedOutput)
    {
        using var set = new CpuKernelSet(2);
        using var problem = new Problem(set, sharedOutput);
        HeadResult[] fused = problem.Head(0, Rows, statistics: true).Results, naive = problem.Naive();
        Assert.That(fused.Select(r => r.Token), Is.EqualTo(naive.Select(r => r.Token)));
        for (int row = 0; row < Rows; row++)
        {
            Assert.That(fused[row].LogProb, Is.EqualTo(naive[row].LogProb).Within(1e-5), $"row {row}");
        }
    }

    [Test]
    public void Scores_have_the_same_bits_for_any_batch_and_any_number_of_workers()
    {
        float[] lambdas = [0, 0.3f, 1, 2.5f];
        ScoreStatistic[]? expected = null;
        foreach (int workers in new[] { 1, 2, 3 })
        {
            using var set = new CpuKernelSet(workers);
            using var problem = new Problem(set, sharedOutput: false);
            ScoreStatistic[] all = problem.Score(0, Rows, lambdas);
            expected ??= all;
            AssertSameBits(all, expected, $"{workers} workers");
            AssertSameBits(problem.Score(35, 3, lambdas), all.AsSpan(35 * lambdas.Length, 3 * lambdas.Length), $"{workers} workers, rows 35 to 38");
        }
    }

    [Test]
    public void A_row_of_NaN_ends_with_some_token_and_leaves_the_others_alone([Values] bool sharedOutput)
    {
        using var set = new CpuKernelSet(2);
        using var problem = new Problem(set, sharedOutput);
        HeadResult[] clean = problem.Head(0, Rows, statistics: true).Results;
        for (int poisoned = 10; poisoned < 20; poisoned++) // one row of each kind; those before stay poisoned
        {
            problem.Poison(poisoned);
            HeadResult[] results = problem.Head(0, Rows, statistics: true).Results;
            Assert.That(results[poisoned].Token, Is.InRange(0, Vocabulary - 1));
            Assert.That(results[poisoned].LogProb, Is.NaN);
            AssertSameBits<HeadResult>(results.AsSpan(0, 10), clean.AsSpan(0, 10), $"rows before row {poisoned}");
            AssertSameBits<HeadResult>(results.AsSpan(poisoned + 1), clean.AsSpan(poisoned + 1), $"rows after row {poisoned}");
        }
    }

    private static void AssertSameBits<T>(ReadOnlySpan<T> got, ReadOnlySpan<T> expected, string where)
        where T : unmanaged =>
        Assert.That(MemoryMarshal.AsBytes(got).SequenceEqual(MemoryMarshal.AsBytes(expected)), Is.True, where);

    /// <summary>Two models of different width (or one output weight) over one vocabulary.</summary>
    private sealed class Problem : IDisposable
    {
        private readonly CpuKernelSet set;
        private readonly CpuTensors tensors;
        private readonly HeadModel reference, aligned;
        private readonly DeviceBuffer rows, entries;

        public Problem(CpuKernelSet set, bool sharedOutput)
        {
            this.set = set;
            tensors = new CpuTensors(set, 11);
            int width = sharedOutput ? ReferenceWidth : AlignedWidth;
            Weight output = tensors.Weight(tensors.Normal(Vocabulary * ReferenceWidth, 0.3), Vocabulary, ReferenceWidth, DType.BF16);
            reference = new HeadModel(tensors.Matrix(tensors.Normal(Rows * ReferenceWidth), ReferenceWidth), output);
            aligned = new HeadModel(
                tensors.Matrix(tensors.Normal(Rows * width), width),
                sharedOutput ? output : tensors.Weight(tensors.Normal(Vocabulary * width, 0.3), Vocabulary, width, DType.F16));
            rows = tensors.Buffer<HeadRow>(Options());
            entries = tensors.Buffer<TokenAdjustment>(Entries);
        }

        public (HeadResult[] Results, TopToken[] Top) Head(int from, int count, bool statistics)
        {
            DeviceBuffer options = tensors.Buffer<HeadRow>(Options().AsSpan(from, count));
            DeviceBuffer results = tensors.Buffer<HeadResult>(new HeadResult[count]);
            DeviceBuffer top = tensors.Buffer<TopToken>(new TopToken[count * HeadLimits.MaxTopTokens]);
            set.RealignHead(Part(reference, from, count), Part(aligned, from, count), Vocabulary, options, entries, statistics, results, top);
            set.Run();
            return (ReadAll<HeadResult>(results, count), ReadAll<TopToken>(top, count * HeadLimits.MaxTopTokens));
        }

        public void Poison(int row)
        {
            foreach (Matrix hidden in new[] { reference.Hidden, aligned.Hidden })
            {
                set.Write<float>(hidden.Buffer, 4L * row * hidden.Columns, [float.NaN]);
            }
        }

        public HeadResult[] Naive()
        {
            Matrix r = tensors.Empty(Rows, Vocabulary), a = tensors.Empty(Rows, Vocabulary), z = tensors.Empty(Rows, Vocabulary);
            DeviceBuffer results = tensors.Buffer<HeadResult>(new HeadResult[Rows]);
            set.Linear(reference.Hidden, reference.Output, null, r);
            set.Linear(aligned.Hidden, aligned.Output, null, a);
            set.Interpolate(r, a, rows, z);
            set.SampleLogits(z, rows, entries, results);
            set.Run();
            return ReadAll<HeadResult>(results, Rows);
        }

        public ScoreStatistic[] Score(int from, int count, float[] lambdas)
        {
            DeviceBuffer statistics = tensors.Buffer<ScoreStatistic>(new ScoreStatistic[count * lambdas.Length]);
            DeviceBuffer targets = tensors.Buffer<TargetLogits>(new TargetLogits[count]);
            set.RealignScore(
                Part(reference, from, count), Part(aligned, from, count), Vocabulary, tensors.Ints([.. Enumerable.Range(from, count)]),
                tensors.Buffer<float>(lambdas), lambdas.Length, statistics, targets);
            set.Run();
            return ReadAll<ScoreStatistic>(statistics, count * lambdas.Length);
        }

        public void Dispose() => tensors.Dispose();

        private static HeadModel Part(HeadModel model, int from, int count) =>
            model with { Hidden = model.Hidden with { Offset = from * model.Hidden.Columns, Rows = count } };

        private T[] ReadAll<T>(DeviceBuffer buffer, int count)
            where T : unmanaged
        {
            var values = new T[count];
            set.Read(buffer, 0, values.AsSpan());
            return values;
        }
    }
}
