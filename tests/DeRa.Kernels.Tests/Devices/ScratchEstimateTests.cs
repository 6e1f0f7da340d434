using DeRa.Kernels.Cpu;
using DeRa.Kernels.Portable;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>What a set says beforehand that its head keeps is about what it then keeps, further sweeps and top tokens included.</summary>
[TestFixtureSource(typeof(KernelSets), nameof(KernelSets.Present))]
public sealed class ScratchEstimateTests(string spec) : DeviceFixture(spec)
{
    private const int Rows = 6, Vocabulary = 20_000, Width = 8;
    private const long ScorePartials = 16 << 20, Small = 1 << 20;

    [Test]
    public void The_estimate_covers_what_the_head_keeps_and_not_much_more()
    {
        using var bench = new Workbench(Set);
        TestData data = new("scratch estimate");
        Matrix hidden = bench.Matrix(data.Matrix(Rows, Width));
        HeadModel Model() => new(hidden, bench.Weight(data.Weight(DType.BF16, Vocabulary, Width), 0));

        // Nearly uniform, so that a cut keeps thousands of tokens: the first sweep's candidates do not settle it.
        HeadRow[] rows = [.. Enumerable.Repeat(HeadRow.Greedy(0.5f) with { Temperature = 50, TopP = 0.5f, TopTokens = 3 }, Rows)];
        Set.RealignHead(
            Model(), Model(), Vocabulary, bench.Buffer<HeadRow>(rows), bench.Buffer<TokenAdjustment>(new TokenAdjustment[1]), statistics: true,
            bench.Buffer<HeadResult>(new HeadResult[Rows]), bench.Buffer<TopToken>(new TopToken[Rows * HeadLimits.MaxTopTokens]));
        Set.Run();
        long kept = Set switch
        {
            CpuKernelSet cpu => cpu.ScratchBytes,
            PortableKernelSet portable => portable.ScratchBytes,
            _ => throw new NotSupportedException($"{Set.GetType().Name} does not tell its memory"),
        };
        long estimate = Set.ScratchEstimate(new StepScratch(Rows, Rows, Vocabulary, []));
        TestContext.Out.WriteLine($"{Set.Device.Id}: {kept} bytes kept, {estimate} estimated");
        Assert.That(kept, Is.LessThanOrEqualTo(estimate + Small));
        Assert.That(estimate - (Set is PortableKernelSet ? ScorePartials : 0), Is.LessThanOrEqualTo((2 * kept) + Small));
        Assert.That(Set.ScratchEstimate(new StepScratch(Rows, 0, Vocabulary, [])), Is.Zero, "another device runs the head");
    }
}
