using DeRa.Kernels.Portable;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>Projections of one x share a launch on a processor where their order cannot matter, and the bits are those of a launch each.</summary>
[TestFixtureSource(typeof(PresentDevices), nameof(PresentDevices.Fixtures))]
internal sealed class MergedLinearTests(string device, KernelForm form)
{
    private PortableKernelSet? set;

    [OneTimeSetUp]
    public void Open() => set = PresentDevices.Open(device, form);

    [OneTimeTearDown]
    public void Close() => set?.Dispose();

    [Test]
    public void Queries_keys_and_values_are_one_launch()
    {
        if (form != KernelForm.Serial)
        {
            Assert.Ignore("the form for GPUs launches every projection by itself; the Cuda set merges them, see its own tests");
        }

        long before = set!.LaunchCount;
        float[,] together = Project(runEach: false);
        Assert.That(set.LaunchCount - before, Is.EqualTo(1));
        Assert.That(Project(runEach: true), Is.EqualTo(together));
    }

    [Test]
    public void A_projection_of_what_waits_comes_after_it()
    {
        TestData data = new("chain");
        using var bench = new Workbench(set!);
        float[,] x = data.Matrix(3, 64);
        Weight first = bench.Weight(data.Weight(DType.BF16, 64, 64), 0), second = bench.Weight(data.Weight(DType.BF16, 64, 64), 0);
        Matrix input = bench.Matrix(x), chained = bench.Zeros(3, 64), y = bench.Zeros(3, 64), middle = bench.Zeros(3, 64), expected = bench.Zeros(3, 64);
        set!.Linear(input, first, null, chained);
        set.Linear(chained, second, null, y);
        set.Linear(input, first, null, y, accumulate: true);
        set.Run();
        set.Linear(input, first, null, middle);
        set.Run();
        set.Linear(middle, second, null, expected);
        set.Run();
        set.Linear(input, first, null, expected, accumulate: true);
        Assert.That(bench.Read(y), Is.EqualTo(bench.Read(expected)));
    }

    // Widths that do not fill a tile, a bias on one of the three.
    private float[,] Project(bool runEach)
    {
        TestData data = new("merged");
        using var bench = new Workbench(set!);
        Matrix x = bench.Matrix(data.Matrix(5, 96)), qkv = bench.Zeros(5, 61 + 16 + 17);
        Weight bias = bench.Weight(data.Weight(DType.BF16, 1, 16), 0);
        int from = 0;
        foreach (int width in new[] { 61, 16, 17 })
        {
            set!.Linear(x, bench.Weight(data.Weight(DType.BF16, width, 96), 0), width == 16 ? bias : null, qkv.Slice(from, width));
            from += width;
            if (runEach)
            {
                set.Run();
            }
        }

        return bench.Read(qkv);
    }
}
