using DeRa.Kernels.Cuda;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>Which form takes projections of many rows on compute capability 9.0: among those with the same bits the fastest, by times that the tests say.</summary>
internal sealed class WarpgroupChoiceTests
{
    private static readonly ProductShape Shape = new(17, 9, 40, false);

    private CudaKernelSet older = null!;

    [OneTimeSetUp]
    public void Open() => older = WarpgroupTests.Emulated(CudaArchitecture.SM_80, null, null);

    [OneTimeTearDown]
    public void Close() => older?.Dispose();

    [TestCase(3, 2, 1, "wgmma with roles")]
    [TestCase(3, 1, 2, "wgmma")]
    [TestCase(1, 3, 2, "mma.sync")]
    [TestCase(1, 1, 1, "mma.sync")]
    public void The_fastest_of_equals_is_taken(double tiles, double warpgroups, double roles, string expected)
    {
        (ManyRowsForm form, string finding) = new WarpgroupChoice().Settle(DType.BF16, [], Timed);
        Assert.That(form.Name, Is.EqualTo(expected));
        Assert.That(finding, Is.EqualTo(
            $"BF16 projections of more than 16 rows: {expected}, the fastest of those whose bits are the same here "
            + $"(mma.sync {tiles}.000 ms, wgmma {warpgroups}.000 ms, wgmma with roles {roles}.000 ms for [1024, 4096] to 4096)"));

        double[] Timed(ManyRowsForm[] forms)
        {
            Assert.That(forms, Is.EqualTo(new[] { ManyRowsForm.Tiles, ManyRowsForm.Warpgroups, ManyRowsForm.Roles }));
            return [tiles / 1000, warpgroups / 1000, roles / 1000];
        }
    }

    /// <summary>A form that was asked for by name is not timed, and neither is mma.sync where nothing else is left.</summary>
    [Test]
    public void Without_a_choice_nothing_is_timed()
    {
        var roles = new WarpgroupChoice { Forms = [ManyRowsForm.Roles], TakesFastest = false };
        Assert.That(roles.Settle(DType.F16, [], Timed), Is.EqualTo(
            (ManyRowsForm.Roles, "F16 projections of more than 16 rows: wgmma with roles, whose bits were those of mma.sync in every comparison here")));
        Assert.That(new WarpgroupChoice().Settle(DType.F16, [(ManyRowsForm.Warpgroups, "a"), (ManyRowsForm.Roles, "b")], Timed), Is.EqualTo(
            (ManyRowsForm.Tiles, "F16 projections of more than 16 rows: mma.sync, not wgmma: a, not wgmma with roles: b")));
        Assert.That(new WarpgroupChoice().Settle(DType.F16, [(ManyRowsForm.Warpgroups, "a"), (ManyRowsForm.Roles, "a")], Timed), Is.EqualTo(
            (ManyRowsForm.Tiles, "F16 projections of more than 16 rows: mma.sync, not wgmma or wgmma with roles: a")));

        static double[] Timed(ManyRowsForm[] forms) => throw new InvalidOperationException("timed");
    }

    /// <summary>Without room for the operands of the measurement the first form whose bits agree stays.</summary>
    [Test]
    public void What_cannot_be_timed_is_said() => Assert.That(
        new WarpgroupChoice().Settle(DType.BF16, [], _ => throw new DeviceException("out of memory\n")), Is.EqualTo(
            (ManyRowsForm.Warpgroups, "BF16 projections of more than 16 rows: wgmma, whose bits were those of mma.sync in every comparison here; not timed: out of memory")));

    /// <summary>The form that leaves elements as they were is said once and not timed; the others are, once.</summary>
    [Test]
    public void What_has_other_bits_is_out_of_the_race()
    {
        var lines = new List<string>();
        int asked = 0;
        ManyRowsForm broken = ManyRowsForm.Warpgroups with { Name = "broken", Kernel = _ => Nothing };
        var choice = new WarpgroupChoice
        {
            Forms = [broken, ManyRowsForm.Warpgroups],
            Shapes = [Shape],
            Times = forms =>
            {
                asked++;
                Assert.That(forms, Is.EqualTo(new[] { ManyRowsForm.Tiles, ManyRowsForm.Warpgroups }));
                return [0.002, 0.001];
            },
        };
        using CudaKernelSet set = WarpgroupTests.Emulated(WarpgroupChoice.Architecture, lines.Add, choice);
        var data = new ManyRows(DType.F16, 17, 12, 40);
        Assert.That(data.Run(set, 0, 17), Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(lines, Is.EqualTo(new[]
        {
            "device cuda:0: F16 projections of more than 16 rows: wgmma, the fastest of those whose bits are the same here "
            + "(mma.sync 2.000 ms, wgmma 1.000 ms for [1024, 4096] to 4096), not broken: [17, 40] to 9, element [0, 0]: "
            + $"bits 7fc0dead, by mma.sync {lines[0][^8..]}",
        }));
        long before = set.LaunchCount;
        data.Run(set, 0, 17);
        Assert.That(set.LaunchCount - before, Is.EqualTo(2), "rounding and the projection");
        Assert.That(asked, Is.EqualTo(1));
    }

    /// <summary>On the device itself: both forms run as often, after a launch that does not count, and nothing of them is seen in what is computed.</summary>
    [Test]
    public void Forms_are_timed_where_they_run()
    {
        int loaded = 0;
        ManyRowsForm fast = ManyRowsForm.Warpgroups with { Kernel = type => { loaded++; return Nothing; } };
        using CudaKernelSet set = WarpgroupTests.Emulated(WarpgroupChoice.Architecture, null, new WarpgroupChoice { Forms = [fast], Shapes = [], Timed = Shape, Samples = 1 });
        new ManyRows(DType.BF16, 17, 12, 40).Run(set, 0, 17);
        Assert.That(set.Findings.Single(), Does.Match(
            @"^BF16 projections of more than 16 rows: (mma\.sync|wgmma), the fastest of those whose bits are the same here \(mma\.sync \d+\.\d{3} ms, wgmma \d+\.\d{3} ms for \[17, 40\] to 9\)$"));
        Assert.That(loaded, Is.InRange(8, 9), "two samples of four launches, and perhaps the projection itself");
        Assert.That(set.LaunchCount, Is.EqualTo(2 * (8 + 8 + 1)), "each with its rounding");
    }

    [TestCase(null, true, "wgmma", "wgmma with roles")]
    [TestCase("", true, "wgmma", "wgmma with roles")]
    [TestCase("on", true, "wgmma", "wgmma with roles")]
    [TestCase("off", true)]
    [TestCase("plain", false, "wgmma")]
    [TestCase("roles", false, "wgmma with roles")]
    public void The_environment_says_what_may_be_used(string? value, bool takesFastest, params string[] forms)
    {
        WarpgroupChoice choice = WarpgroupChoice.Named(value);
        Assert.That(choice.TakesFastest, Is.EqualTo(takesFastest));
        Assert.That(choice.Forms.Select(form => form.Name), Is.EqualTo(forms));
    }

    [Test]
    public void What_is_switched_off_is_not_compared_and_not_logged()
    {
        var lines = new List<string>();
        using CudaKernelSet off = WarpgroupTests.Emulated(WarpgroupChoice.Architecture, lines.Add, new WarpgroupChoice { Forms = [] });
        var data = new ManyRows(DType.F16, 17, 12, 40);
        Assert.That(data.Run(off, 0, 17), Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(off.LaunchCount, Is.EqualTo(2), "rounding and the projection");
        Assert.That(off.Findings, Is.EqualTo(new[] { "F16 projections of more than 16 rows: mma.sync, not wgmma: switched off by DERA_WGMMA" }));
        Assert.That(lines, Is.Empty);
    }

    [TestCase(8, 9)]
    [TestCase(10, 0)]
    public void Other_architectures_have_no_choice(int major, int minor)
    {
        using CudaKernelSet other = WarpgroupTests.Emulated(new CudaArchitecture(major, minor), null, new WarpgroupChoice { Forms = [ManyRowsForm.Warpgroups with { Kernel = _ => Nothing }] });
        var data = new ManyRows(DType.BF16, 17, 12, 40);
        Assert.That(data.Run(other, 0, 17), Is.EqualTo(data.Run(older, 0, 17)));
        Assert.That(other.Findings, Is.Empty);
    }

    [Test]
    public void A_device_that_computes_nothing_is_no_proof()
    {
        ProductShape shape = WarpgroupTests.Small[0];
        uint[] nothing = [.. Enumerable.Repeat(ProductComparison.Untouched, shape.Length)];
        Assert.That(ProductComparison.Difference(shape, nothing, nothing), Is.EqualTo("the device computed nothing to compare with"));
    }

    /// <summary>Inside, NaN is like NaN whatever its bits; beside the results nothing may change.</summary>
    [Test]
    public void Results_are_compared_bit_by_bit_and_so_is_what_lies_beside_them()
    {
        ProductShape shape = WarpgroupTests.Small[0];
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

    private static void Nothing(TensorLinearArgs args) => SharedMemory.GetDynamic<int>();
}
