using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>Whatever drafts are drawn from, what verification leaves follows the mixture's exact distribution, and drafts stand as often as they should.</summary>
[TestFixtureSource(typeof(KernelSets), nameof(KernelSets.Present))]
public sealed class VerifyDraftsTests(string spec) : DeviceFixture(spec)
{
    private const int Draws = 6_000, Batch = 500;

    private static readonly HeadRow Plain = HeadRow.Greedy(0) with { Temperature = 1, SeedLow = 77, SeedHigh = 1, Position = 12 };

    private static IEnumerable<TestCaseData> Options()
    {
        (string Name, HeadRow Row)[] options =
        [
            ("plain", Plain), ("temperature 0.6", Plain with { Temperature = 0.6f }), ("top-k 5", Plain with { TopK = 5 }),
            ("top-p 0.8", Plain with { TopP = 0.8f }), ("all cuts", Plain with { Temperature = 1.5f, TopK = 20, TopP = 0.9f, MinP = 0.05f }),
        ];
        foreach ((string name, HeadRow row) in options)
        {
            foreach (double apart in new[] { 0.2, 1.5 })
            {
                yield return new TestCaseData(row, apart).SetArgDisplayNames($"{name}, logits {apart} apart");
            }
        }
    }

    [TestCaseSource(nameof(Options))]
    public void Tokens_follow_the_mixture(HeadRow row, double apart)
    {
        TestData data = new("drafts");
        float[,] z = data.Matrix(1, 40, 1.5), draftZ = data.Matrix(1, 40, apart);
        for (int v = 0; v < 40; v++)
        {
            draftZ[0, v] += z[0, v];
        }

        double[] p = SamplingOracle.Distribution([.. z.Cast<float>().Select(value => (double)value)], row, []);
        double[] q = SamplingOracle.Distribution([.. draftZ.Cast<float>().Select(value => (double)value)], row, []);
        (int[] counts, int accepted) = Draw(z, draftZ, row);
        ChiSquare.AssertFits(counts, p, groups: 40);

        // E[min(1, p/q)] = Σ min(p, q); six standard deviations of a share.
        double expected = p.Zip(q, Math.Min).Sum(), deviation = Math.Sqrt(Math.Max(expected * (1 - expected), 0.001) / Draws);
        Assert.That((double)accepted / Draws, Is.EqualTo(expected).Within(6 * deviation));
    }

    private (int[] Counts, int Accepted) Draw(float[,] z, float[,] draftZ, HeadRow row)
    {
        var counts = new int[z.Length];
        int accepted = 0;
        for (int first = 0; first < Draws; first += Batch)
        {
            using var bench = new Workbench(Set);
            Matrix logits = bench.Matrix(Repeated(z)), draftLogits = bench.Matrix(Repeated(draftZ));
            DeviceBuffer rows = bench.Buffer<HeadRow>([.. Enumerable.Range(first, Batch).Select(stream => row with { Stream = (uint)stream })]);
            DeviceBuffer none = bench.Buffer<TokenAdjustment>([]), results = bench.Buffer<HeadResult>(new HeadResult[Batch]);
            Set.SampleLogits(draftLogits, rows, none, results);
            Set.Run();
            int[] drafts = [.. bench.Read<HeadResult>(results, Batch).Select(result => result.Token)];
            Set.VerifyDrafts(logits, draftLogits, bench.Ints(drafts), rows, none, results);
            Set.Run();
            foreach ((HeadResult result, int draft) in bench.Read<HeadResult>(results, Batch).Zip(drafts))
            {
                counts[result.Token]++;
                accepted += result.Token == draft ? 1 : 0;
            }
        }

        return (counts, accepted);
    }

    private static float[,] Repeated(float[,] row)
    {
        var rows = new float[Batch, row.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i / row.Length, i % row.Length] = row[0, i % row.Length];
        }

        return rows;
    }
}
