using DeRa.Kernels.Portable;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>
/// Projections of many rows by tiles in registers: y = x·Wᵀ (+ bias, + y) against float64, and a row's bits against those of the form for few rows. In
/// emulation, with the groups of 128 that GPUs get, and on every OpenCL and CUDA device present.
/// </summary>
[TestFixtureSource(nameof(Fixtures))]
internal sealed class RegisterTiledLinearTests(string device)
{
    private const string Emulation = "emulation";

    private PortableKernelSet set = null!;

    // Full and padded tiles of 64 × 32; inputs in one stage, in every team's passes, in passes of which the later ones have none; more rows than one band.
    private static readonly (DType Type, int Rows, int Depth, int Outputs)[] Cases =
    [
        (DType.F32, 33, 40, 129), (DType.F32, 35, 520, 67), (DType.F16, 64, 136, 65), (DType.F16, 17, 8, 70), (DType.BF16, 70, 264, 64), (DType.BF16, 530, 24, 66),
    ];

    private static IEnumerable<string> Fixtures() =>
        [Emulation, .. PresentDevices.Fixtures().Select(fixture => (string)fixture.Arguments[0]!).Distinct()];

    private static IEnumerable<TestCaseData> Projections => Cases.Select(c => new TestCaseData(c.Type, c.Rows, c.Depth, c.Outputs));

    [OneTimeSetUp]
    public void Open() => set = device == Emulation
        ? new PortableKernelSet(DeviceContext.Emulate(Team.Size), KernelForm.Cooperative)
        : PresentDevices.Open(device, KernelForm.Cooperative);

    [OneTimeTearDown]
    public void Close() => set?.Dispose();

    [TestCaseSource(nameof(Projections))]
    public void Projects_and_gives_a_row_the_bits_that_it_has_among_few(DType dtype, int rows, int depth, int outputs)
    {
        TestData data = new($"{rows} {depth} {outputs}");
        bool accumulate = rows % 2 == 0;
        float[,] x = data.Matrix(rows, depth), before = data.Matrix(rows, outputs);
        HostWeight weight = data.Weight(dtype, outputs, depth), bias = data.Weight(dtype, 1, outputs);
        float[,] all = Project(0, rows);
        foreach ((int start, int count) in new[] { (0, 1), (rows - 3, 3), (1, 16) })
        {
            float[,] few = Project(start, count);
            for (int row = 0; row < count; row++)
            {
                for (int output = 0; output < outputs; output++)
                {
                    Assert.That(few[row, output], Is.EqualTo(all[start + row, output]), $"rows {start} … {start + count}: [{row}, {output}]");
                }
            }
        }

        Expected expected = LinearOracle.Compute(Doubles.From(x), weight.Values, bias.Vector, accumulate ? Doubles.From(before) : null);
        using var naive = new NaiveKernelSet();
        var trial = new Trial(set, naive, data, 0); // the bound of float32 sums alone
        for (int row = 0; row < rows; row++)
        {
            for (int output = 0; output < outputs; output++)
            {
                trial.Check("y", row, output, expected.Value[row, output], 0, all[row, output], expected.Epsilon[row, output]);
            }
        }

        SelfTestResult result = trial.Result("Linear", $"{dtype}");
        Assert.That(result.Passed, Is.True, result.Message);

        float[,] Project(int start, int count)
        {
            using var bench = new Workbench(set);
            Matrix from = bench.Matrix(x) with { Offset = (long)start * depth, Rows = count };
            Matrix y = bench.Matrix(before) with { Offset = (long)start * outputs, Rows = count };
            Weight w = bench.Weight(weight, 0);
            Assert.That(set.IsTiled(from, w), Is.EqualTo(count == rows), "which form projects");
            set.Linear(from, w, bench.Weight(bias, 0), y, accumulate);
            return bench.Read(y);
        }
    }

    /// <summary>What tiles cannot load sixteen bytes at a time goes the other way, and comes out the same.</summary>
    [Test]
    public void Takes_the_other_form_where_rows_are_not_aligned()
    {
        TestData data = new("aligned");
        float[,] x = data.Matrix(40, 48);
        HostWeight weight = data.Weight(DType.F32, 130, 48);
        using var bench = new Workbench(set);
        Matrix dense = bench.Matrix(x), strided = bench.Strided(x), y = bench.Zeros(40, 130), other = bench.Zeros(40, 130);
        Weight w = bench.Weight(weight, 0), odd = bench.Weight(data.Weight(DType.F32, 130, 47), 0);
        set.Linear(dense, w, null, y);
        set.Linear(strided, w, null, other);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set.IsTiled(dense, w), Is.True);
            Assert.That(set.IsTiled(strided, w), Is.False, "rows 53 floats apart");
            Assert.That(set.IsTiled(dense with { Columns = 47 }, odd), Is.False, "47 inputs");
            Assert.That(set.IsTiled(dense, w with { InputMajor = true }), Is.False, "input-major");
            Assert.That(bench.Read(other), Is.EqualTo(bench.Read(y)));
        }
    }
}
