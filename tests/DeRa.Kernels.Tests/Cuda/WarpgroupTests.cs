using DeRa.Kernels.Cuda;
using DeRa.Kernels.Verification;
using ILGPU.Frontend;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>
/// Projections of many rows by wgmma, executed without a GPU: operands are read where their descriptors say, through the swizzle, and copies are NaN until they
/// are waited for. What only a card can say is whether its wgmma rounds as its mma.sync does; here the choice by that comparison is tested, with a rounding that
/// is the same and with one that is not.
/// </summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class WarpgroupTests(bool hasRoles)
{
    /// <summary>Edges in every direction; one group that adds two segments up, two groups that each have one, and less than a stage.</summary>
    internal static readonly ProductShape[] Small = [new(18, 20, 296, true), new(18, 20, 296, false), new(17, 9, 40, false)];

    private readonly ManyRowsForm form = hasRoles ? ManyRowsForm.Roles : ManyRowsForm.Warpgroups;
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
        set = Emulated(WarpgroupChoice.Architecture, null, new WarpgroupChoice { Forms = [form], TakesFastest = false, Shapes = Small });
        older = Emulated(CudaArchitecture.SM_80, null, null);
    }

    [OneTimeTearDown]
    public void Close()
    {
        set?.Dispose();
        older?.Dispose();
    }

    [TearDown]
    public void Barriers_are_left_as_they_were() => Assert.That(EmulatedBarriers.Finish(), Is.Null);

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
        var data = new ManyRows(type, rows, outputs, depth);
        float[,] warpgroups = data.Run(set, 0, rows);
        Assert.That(set.Findings, Has.One.EqualTo($"{type} projections of more than 16 rows: {form.Name}, whose bits were those of mma.sync in every comparison here"));
        foreach ((int start, int count) in new[] { (0, 1), (7, 9), (rows - 3, 3) })
        {
            float[,] few = data.Run(set, start, count);
            Assert.That(few.Cast<float>(), Is.EqualTo(warpgroups.Cast<float>().Skip(start * outputs).Take(count * outputs)), $"rows {start} … {start + count}");
        }
    }

    /// <summary>A rounding of another kind. Once said, mma.sync computes everything.</summary>
    [Test]
    public void Other_bits_are_refused_and_said_once()
    {
        var lines = new List<string>();
        Action<TensorLinearArgs> kernel = hasRoles ? SpecialisedLinearKernel<CutOff>.Run : WarpgroupLinearKernel<CutOff>.Run;
        var choice = new WarpgroupChoice { Forms = [form with { Kernel = _ => kernel }], Shapes = [Small[^1]] };
        using CudaKernelSet refusing = Emulated(WarpgroupChoice.Architecture, lines.Add, choice);
        var data = new ManyRows(DType.BF16, 17, 12, 40);
        float[,] first = data.Run(refusing, 0, 17), second = data.Run(refusing, 0, 17);
        Assert.That(lines, Has.Count.EqualTo(1));
        Assert.That(lines[0], Does.Match(
            $@"^device cuda:0: BF16 projections of more than 16 rows: mma\.sync, not {form.Name}: \[17, 40\] to 9, element \[\d+, \d+\]: bits [0-9a-f]{{8}}, by mma\.sync [0-9a-f]{{8}}$"));
        Assert.That(refusing.Findings, Is.EqualTo(new[] { lines[0][(lines[0].IndexOf("BF16", StringComparison.Ordinal))..] }));
        Assert.That(first, Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(second, Is.EqualTo(first));
    }

    internal static CudaKernelSet Emulated(CudaArchitecture architecture, Action<string>? log, WarpgroupChoice? choice) =>
        new(DeviceContext.EmulateWarps(choice?.Forms.Any(form => form.GroupSize > LinearTile.GroupSize) == true ? 16 : 8), architecture, log, choice);

    /// <summary>bfloat16 by tensor cores that cut sums off instead of rounding them to the nearest.</summary>
    private readonly struct CutOff : ITensorFormat
    {
        public static Sums Multiply(Sums c, Quad a, uint b0, uint b1) => TensorCore.BFloat16(c, a, b0, b1);

        [IntrinsicImplementation, External("cutOffStage")] // ILGPU does not look into it
        public static WarpgroupSums MultiplyStage(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step) =>
            EmulatedWarpgroup.Multiply(sums, w, x, copies, step, TensorCore.BFloat16Element, TowardZero);

        [IntrinsicImplementation, External("cutOffStages")]
        public static WarpgroupSums MultiplyStages(int ring, int from, int to, int count) =>
            EmulatedRoles.Multiply(ring, from, to, count, TensorCore.BFloat16Element, TowardZero);

        public static uint Pair(float low, float high) => Pairs.BFloat16(low, high);

        private static float TowardZero(double sum)
        {
            float nearest = (float)sum;
            return Math.Abs((double)nearest) <= Math.Abs(sum) || double.IsNaN(sum) ? nearest
                : BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(nearest) - 1);
        }
    }
}
