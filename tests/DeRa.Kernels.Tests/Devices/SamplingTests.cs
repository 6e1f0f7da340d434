using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>Draws of the fused head follow the exact distribution after penalties, temperature and cuts (Pearson's χ²).</summary>
[TestFixtureSource(typeof(KernelSets), nameof(KernelSets.Present))]
public sealed class SamplingTests(string spec) : DeviceFixture(spec)
{
    private static readonly HeadRow Plain = HeadRow.Greedy(0) with { Temperature = 1, SeedLow = 2024, SeedHigh = 7, Position = 31 };

    private static IEnumerable<TestCaseData> Options()
    {
        foreach (float lambda in new[] { 0.3f, 1, 2.5f })
        {
            HeadRow row = Plain with { Lambda = lambda };
            (string Name, HeadRow Row)[] options =
            [
                ("plain", row), ("temperature 0.7", row with { Temperature = 0.7f }), ("temperature 1.5", row with { Temperature = 1.5f }),
                ("top-k 7", row with { TopK = 7 }), ("top-p 0.8", row with { TopP = 0.8f }), ("min-p 0.1", row with { MinP = 0.1f }),
                ("all cuts", row with { Temperature = 1.5f, TopK = 20, TopP = 0.9f, MinP = 0.05f }),
            ];
            foreach ((string name, HeadRow option) in options)
            {
                yield return new TestCaseData(option).SetArgDisplayNames($"lambda {lambda}, {name}");
            }
        }
    }

    private static IEnumerable<TestCaseData> WideCuts()
    {
        foreach (float lambda in new[] { 0.3f, 1, 2.5f })
        {
            yield return new TestCaseData(Plain with { Lambda = lambda, TopP = 0.99f }).SetArgDisplayNames($"lambda {lambda}, top-p 0.99 of 5000");
            yield return new TestCaseData(Plain with { Lambda = lambda, TopK = 3000 }).SetArgDisplayNames($"lambda {lambda}, top-k 3000 of 5000");
        }
    }

    [TestCaseSource(nameof(Options))]
    public void Draws_follow_the_distribution(HeadRow row) => AssertDistribution(row, vocabulary: 50, draws: 6_000, deviation: 1.5, groups: 50);

    /// <summary>Flat logits keep more tokens than any fixed set of candidates holds; tokens are counted in 50 groups.</summary>
    [TestCaseSource(nameof(WideCuts))]
    public void Wide_cuts_follow_the_distribution(HeadRow row) => AssertDistribution(row, vocabulary: 5000, draws: 1500, deviation: 0.3, groups: 50);

    /// <summary>Logits are exact here, so the tokens that ever appear have to be the kept set itself.</summary>
    [TestCase(5, 1f, 0f, 8, TestName = "{m}: the 5th largest is tied with seven others")]
    [TestCase(8, 1f, 0f, 8)]
    [TestCase(9, 1f, 0f, 16)]
    [TestCase(0, 0.25f, 0f, 8)]
    [TestCase(0, 0.5f, 0f, 16)]
    [TestCase(0, 1f, 0.9f, 8)]
    [TestCase(0, 1f, 0.8f, 16)]
    [TestCase(17, 0.9f, 0.5f, 24)]
    [TestCase(1000, 1f, 0f, 32)]
    public void Cut_is_exact(int topK, float topP, float minP, int kept)
    {
        // Eight tokens each of 3, 2, 1 and 0, scattered; s = z/8 gives them masses near 0.30, 0.26, 0.23 and 0.21.
        double[] z = [.. Enumerable.Range(0, 32).Select(v => (double)(v * 5 % 32 / 8))];
        HeadRow row = Plain with { Lambda = 0.5f, Temperature = 8, TopK = topK, TopP = topP, MinP = minP };
        int[] counts = Draw([.. z.Select(value => (float)value)], [.. z.Select(value => (float)value)], row, 1000);
        int[] expected = [.. Enumerable.Range(0, 32).OrderByDescending(v => z[v]).Take(kept).Order()];
        Assert.That(Enumerable.Range(0, 32).Where(v => counts[v] > 0), Is.EqualTo(expected));
    }

    private void AssertDistribution(HeadRow row, int vocabulary, int draws, double deviation, int groups)
    {
        TestData data = new("distribution");
        double each = deviation / Math.Sqrt((1 - row.Lambda) * (1 - row.Lambda) + row.Lambda * row.Lambda); // of z: deviation, whatever λ
        float[] reference = Flat(data.Matrix(1, vocabulary, each)), aligned = Flat(data.Matrix(1, vocabulary, each));
        double[] z = [.. reference.Zip(aligned, (r, a) => (1.0 - row.Lambda) * r + (double)row.Lambda * a)];
        double[] distribution = SamplingOracle.Distribution(z, row, []);
        bool[] possible = CutOracle.Possible([.. z.Select(value => value / row.Temperature)], row, error: 1e-5);
        int[] counts = Draw(reference, aligned, row, draws);

        Assert.That(Enumerable.Range(0, vocabulary).Where(v => counts[v] > 0 && !possible[v]), Is.Empty, "drawn outside the kept set");
        ChiSquare.AssertFits(counts, distribution, groups);
    }

    /// <summary>Counts of the tokens drawn for streams 0, 1, 2, … from given logits: one hidden feature of value 1, so a weight is its logit.</summary>
    private int[] Draw(float[] reference, float[] aligned, HeadRow row, int draws)
    {
        const int Batch = 500;
        using var bench = new Workbench(Set);
        Matrix ones = bench.Matrix(Filled(Batch));
        var r = new HeadModel(ones, bench.Weight(Column(reference), 0));
        var a = new HeadModel(ones, bench.Weight(Column(aligned), 0));
        DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[Batch]), none = bench.Buffer<TokenAdjustment>([]);
        var counts = new int[reference.Length];
        for (int first = 0; first < draws; first += Batch)
        {
            HeadRow[] rows = [.. Enumerable.Range(first, Batch).Select(stream => row with { Stream = (uint)stream })];
            bench.Set.RealignHead(r, a, counts.Length, bench.Buffer<HeadRow>(rows), none, statistics: false, results, topTokens: null);
            bench.Set.Run();
            foreach (HeadResult result in bench.Read<HeadResult>(results, Batch))
            {
                counts[result.Token]++;
            }
        }

        return counts;

        static HostWeight Column(float[] logits)
        {
            var column = new float[logits.Length, 1];
            Buffer.BlockCopy(logits, 0, column, 0, 4 * logits.Length);
            return new HostWeight(DType.F32, column);
        }

        static float[,] Filled(int count)
        {
            var ones = new float[count, 1];
            for (int i = 0; i < count; i++)
            {
                ones[i, 0] = 1;
            }

            return ones;
        }
    }

    private static float[] Flat(float[,] row) => [.. row.Cast<float>()];
}
