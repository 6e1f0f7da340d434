using DeRa.Kernels.Cpu;
using DeRa.Kernels.Portable;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>All-λ scoring keeps no [rows, vocab] tensor, not even one divided by the size of a tile: beyond a limit, rows are scored slice by slice.</summary>
[TestFixtureSource(typeof(KernelSets), nameof(KernelSets.Present))]
public sealed class ScoreMemoryTests(string spec) : DeviceFixture(spec)
{
    private const int Width = 8;
    private const int Lambdas = 23;

    /// <summary>Rows whose partial results, 12 bytes per tile of 128 entries and λ, would take 19.2 MB at once.</summary>
    private const int Rows = 136;
    private const int Vocabulary = 65536;

    /// <summary>16 MiB of partial results, and room for what the rows need of their own.</summary>
    private const long Most = 17 << 20;

    [Test]
    public void Memory_has_a_limit_and_rows_of_every_slice_have_the_bits_they_have_alone()
    {
        using var bench = new Workbench(Set);
        (ScoreStatistic[] statistics, TargetLogits[] logits) = Score(bench, 0, Rows);
        long scratch = Set switch
        {
            CpuKernelSet cpu => cpu.ScratchBytes,
            PortableKernelSet portable => portable.ScratchBytes,
            _ => throw new NotSupportedException($"{Set.GetType().Name} does not tell its memory"),
        };
        TestContext.Out.WriteLine($"{Set.Device.Id}: {scratch} bytes; logits of both models would take {8L * Rows * Vocabulary}");
        Assert.That(scratch, Is.LessThan(Most));
        foreach (int row in (int[])[0, 115, 116, Rows - 1])
        {
            (ScoreStatistic[] alone, TargetLogits[] target) = Score(bench, row, 1);
            Assert.That(alone, Is.EqualTo(statistics[(row * Lambdas)..((row + 1) * Lambdas)]), $"row {row}");
            Assert.That(target[0], Is.EqualTo(logits[row]), $"row {row}");
        }
    }

    private static (ScoreStatistic[] Statistics, TargetLogits[] Logits) Score(Workbench bench, int from, int count)
    {
        TestData data = new("score memory");
        Matrix hidden = bench.Matrix(data.Matrix(Rows, Width)) with { Offset = (long)from * Width, Rows = count };
        HostWeight reference = data.Weight(DType.BF16, Vocabulary, Width), aligned = data.Weight(DType.BF16, Vocabulary, Width);
        int[] targets = data.Indices(Rows, Vocabulary);
        DeviceBuffer statistics = bench.Buffer<ScoreStatistic>(new ScoreStatistic[count * Lambdas]), logits = bench.Buffer<TargetLogits>(new TargetLogits[count]);
        bench.Set.RealignScore(
            new HeadModel(hidden, bench.Weight(reference, 0)), new HeadModel(hidden, bench.Weight(aligned, 0)), Vocabulary,
            bench.Ints(targets[from..(from + count)]), bench.Buffer<float>([.. Enumerable.Range(0, Lambdas).Select(i => i / 10f)]), Lambdas, statistics, logits);
        bench.Set.Run();
        return (bench.Read<ScoreStatistic>(statistics, count * Lambdas), bench.Read<TargetLogits>(logits, count));
    }
}
