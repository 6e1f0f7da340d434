using DeRa.Kernels.Cuda;
using DeRa.Kernels.Verification;
using ILGPU;
using ILGPU.Frontend;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>
/// Projections of many rows by wgmma, executed without a GPU: operands are read where their descriptors say, through the swizzle, and copies are NaN until they
/// are waited for. What only a card can say is whether its wgmma rounds as its mma.sync does; here the choice by that comparison is tested, with a rounding that
/// is the same and with one that is not.
/// </summary>
internal sealed class WarpgroupTests
{
    // Edges in every direction; one group that adds two segments up, two groups that each have one, and less than a stage.
    private static readonly ProductShape[] Small = [new(18, 20, 296, true), new(18, 20, 296, false), new(17, 9, 40, false)];

    private CudaKernelSet set = null!, older = null!;

    // Of the checks that take more than 16 rows, one type each: what differs between the two is the decoding.
    private static IEnumerable<SelfTestCase> Checks => SelfTest.Cases.Where(check =>
        (check.Operation == "Linear" && check.Name is "forms: BF16 [33, 520] to 72" or "forms: F16 [129, 96] to 130" or "forms: F16 [17, 40] to 129" or "forms: BF16 [20, 36] to 33")
        || (check.Operation == "Linear" && check.Name is "three of one x: BF16 [17, 520] to 24, 16 and 17" or "rows alone and among others, F16 [40, 584] to 136")
        || (check.Operation == "GatedLinear" && check.Name is "BF16 [17, 520] to 24" or "BF16 [130, 72] to 72" or "BF16 [20, 123] to 33"));

    [Test]
    public void Every_check_is_there() => Assert.That(Checks.Count(), Is.EqualTo(9));

    [OneTimeSetUp]
    public void Open()
    {
        set = Emulated(WarpgroupForm.Architecture, null, new WarpgroupForm { Shapes = Small });
        older = Emulated(CudaArchitecture.SM_80, null, null);
    }

    [OneTimeTearDown]
    public void Close()
    {
        set?.Dispose();
        older?.Dispose();
    }

    [TestCaseSource(nameof(Checks))]
    public void Passes(SelfTestCase check)
    {
        SelfTestResult result = check.Run(set);
        Assert.That(result.Passed, Is.True, result.Message);
    }

    /// <summary>Among many by wgmma, alone by mma.sync: groups that add several segments up, and segments with groups of their own.</summary>
    [TestCase(DType.BF16, 133, 136, 264)]
    [TestCase(DType.F16, 20, 40, 552)]
    [TestCase(DType.BF16, 20, 12, 275)]
    public void A_row_has_the_same_bits_alone_and_among_many(DType type, int rows, int outputs, int depth)
    {
        var data = new Projection(type, rows, outputs, depth);
        float[,] warpgroups = data.Run(set, 0, rows);
        Assert.That(set.Findings, Has.One.StartsWith($"{type} projections of more than 16 rows: wgmma"));
        foreach ((int start, int count) in new[] { (0, 1), (7, 9), (rows - 3, 3) })
        {
            float[,] few = data.Run(set, start, count);
            Assert.That(few.Cast<float>(), Is.EqualTo(warpgroups.Cast<float>().Skip(start * outputs).Take(count * outputs)), $"rows {start} … {start + count}");
        }
    }

    /// <summary>Once said, mma.sync computes everything: a rounding of another kind, and a kernel that leaves elements as they were.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public void Other_bits_are_refused_and_said_once(bool computes)
    {
        var lines = new List<string>();
        var form = new WarpgroupForm { Shapes = Small, Kernel = _ => computes ? WarpgroupLinearKernel<CutOff>.Run : Nothing };
        using CudaKernelSet refusing = Emulated(WarpgroupForm.Architecture, lines.Add, form);
        var data = new Projection(DType.BF16, 17, 12, 40);
        float[,] first = data.Run(refusing, 0, 17), second = data.Run(refusing, 0, 17);
        Assert.That(lines, Has.Count.EqualTo(1));
        Assert.That(lines[0], Does.Match(
            @"^device cuda:0: BF16 projections of more than 16 rows: mma\.sync, not wgmma: \[18, 296\] to 20, element \[\d+, \d+\]: bits [0-9a-f]{8}, by mma\.sync [0-9a-f]{8}$"));
        Assert.That(refusing.Findings, Is.EqualTo(new[] { lines[0][(lines[0].IndexOf("BF16", StringComparison.Ordinal))..] }));
        Assert.That(first, Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void What_is_switched_off_is_not_compared_and_not_logged()
    {
        var lines = new List<string>();
        using CudaKernelSet off = Emulated(WarpgroupForm.Architecture, lines.Add, new WarpgroupForm { IsAllowed = false });
        var data = new Projection(DType.F16, 17, 12, 40);
        Assert.That(data.Run(off, 0, 17), Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(off.LaunchCount, Is.EqualTo(2), "rounding and the projection");
        Assert.That(off.Findings, Is.EqualTo(new[] { "F16 projections of more than 16 rows: mma.sync, not wgmma: switched off by DERA_WGMMA" }));
        Assert.That(lines, Is.Empty);
    }

    [TestCase(8, 9)]
    [TestCase(10, 0)]
    public void Other_architectures_have_no_choice(int major, int minor)
    {
        using CudaKernelSet other = Emulated(new CudaArchitecture(major, minor), null, new WarpgroupForm { Kernel = _ => Nothing });
        var data = new Projection(DType.BF16, 17, 12, 40);
        Assert.That(data.Run(other, 0, 17), Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(other.Findings, Is.Empty);
    }

    [Test]
    public void A_device_that_computes_nothing_is_no_proof()
    {
        ProductShape shape = Small[0];
        uint[] nothing = [.. Enumerable.Repeat(ProductComparison.Untouched, shape.Length)];
        Assert.That(ProductComparison.Difference(shape, nothing, nothing), Is.EqualTo("the device computed nothing to compare with"));
    }

    /// <summary>Inside, NaN is like NaN whatever its bits; beside the results nothing may change.</summary>
    [Test]
    public void Results_are_compared_bit_by_bit_and_so_is_what_lies_beside_them()
    {
        ProductShape shape = Small[0];
        uint[] expected = [.. Enumerable.Range(0, shape.Length).Select(i => i / shape.Stride < shape.Rows && i % shape.Stride < shape.Outputs ? (uint)i : ProductComparison.Untouched)];
        expected[0] = 0xffc00000;
        Assert.That(ProductComparison.Difference(shape, expected, Changed(0, 0x7fffffff)), Is.Null);
        Assert.That(ProductComparison.Difference(shape, expected, Changed(0, ProductComparison.Untouched)), Does.Contain("element [0, 0]"));
        Assert.That(ProductComparison.Difference(shape, expected, Changed(shape.Stride + 1, 7)), Does.Contain("element [1, 1]: bits 00000007"));
        Assert.That(ProductComparison.Difference(shape, expected, Changed(shape.Outputs, 0)), Does.Contain($"element [0, {shape.Outputs}]"));
        Assert.That(ProductComparison.Difference(shape, expected, Changed(shape.Length - 1, 0)), Does.Contain($"element [{shape.Rows}, "));

        uint[] Changed(int at, uint bits)
        {
            uint[] copy = [.. expected];
            copy[at] = bits;
            return copy;
        }
    }

    private static CudaKernelSet Emulated(CudaArchitecture architecture, Action<string>? log, WarpgroupForm? form) =>
        new(DeviceContext.EmulateWarps(), architecture, log, form);

    private static void Nothing(TensorLinearArgs args) => SharedMemory.GetDynamic<int>();

    /// <summary>bfloat16 by tensor cores that cut sums off instead of rounding them to the nearest.</summary>
    private readonly struct CutOff : ITensorFormat
    {
        public static Sums Multiply(Sums c, Quad a, uint b0, uint b1) => TensorCore.BFloat16(c, a, b0, b1);

        [IntrinsicImplementation, External("cutOffStage")] // ILGPU does not look into it
        public static WarpgroupSums MultiplyStage(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step) =>
            EmulatedWarpgroup.Multiply(sums, w, x, copies, step, TensorCore.BFloat16Element, TowardZero);

        public static uint Pair(float low, float high) => Pairs.BFloat16(low, high);

        private static float TowardZero(double sum)
        {
            float nearest = (float)sum;
            return Math.Abs((double)nearest) <= Math.Abs(sum) || double.IsNaN(sum) ? nearest
                : BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(nearest) - 1);
        }
    }

    /// <summary>A projection with a bias over random data.</summary>
    private sealed class Projection(DType type, int rows, int outputs, int depth)
    {
        private readonly float[,] x = new TestData("x").Matrix(rows, depth);
        private readonly HostWeight weight = new TestData("w").Weight(type, outputs, depth), bias = new TestData("b").Weight(type, 1, outputs);

        public float[,] Run(CudaKernelSet on, int start, int count)
        {
            using var bench = new Workbench(on);
            Matrix from = bench.Matrix(x) with { Offset = (long)start * depth, Rows = count }, y = bench.Zeros(count, outputs);
            on.Linear(from, bench.Weight(weight, 0), bench.Weight(bias, 0), y);
            return bench.Read(y);
        }
    }
}
