using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>Shapes that do not fit throw at the contract's edge, before any kernel sees them, and the message says which.</summary>
public sealed class ShapeGuardTests
{
    private static IEnumerable<TestCaseData> Mistakes()
    {
        yield return Mistake("embed output", "output", (s, b) => s.Embed(Ints(b, 3), Vector(b, 5, 8), 1, null, null, M(b, 2, 8)));
        yield return Mistake("positions without a table", "positions", (s, b) => s.Embed(Ints(b, 2), Vector(b, 5, 8), 1, Ints(b, 2), null, M(b, 2, 8)));
        yield return Mistake(
            "narrow position table", "position table", (s, b) => s.Embed(Ints(b, 2), Vector(b, 5, 8), 1, Ints(b, 2), Vector(b, 5, 4), M(b, 2, 8)));
        yield return Mistake("RMS output", "y", (s, b) => s.RmsNorm(M(b, 2, 8), Vector(b, 1, 8), 1e-6f, false, M(b, 3, 8)));
        yield return Mistake("RMS gain", "gain", (s, b) => s.RmsNorm(M(b, 2, 8), Vector(b, 1, 7), 1e-6f, false, M(b, 2, 8)));
        yield return Mistake("layer-norm gain", "gain", (s, b) => s.LayerNorm(M(b, 2, 8), Vector(b, 1, 7), null, 1e-6f, M(b, 2, 8)));
        yield return Mistake("linear depth", "input features", (s, b) => s.Linear(M(b, 2, 8), Vector(b, 4, 7), null, M(b, 2, 4)));
        yield return Mistake("linear output", "y", (s, b) => s.Linear(M(b, 2, 8), Vector(b, 4, 8), null, M(b, 2, 5)));
        yield return Mistake("linear bias", "bias", (s, b) => s.Linear(M(b, 2, 8), Vector(b, 4, 8), Vector(b, 1, 5), M(b, 2, 4)));
        yield return Mistake("gated width", "gateUp", (s, b) => s.GatedActivation(M(b, 2, 9), ActivationKind.Silu, M(b, 2, 4)));
        yield return Mistake(
            "gated linear depth", "input features of the up",
            (s, b) => s.GatedLinear(M(b, 2, 8), Vector(b, 4, 8), null, Vector(b, 4, 7), null, ActivationKind.Silu, M(b, 2, 8), M(b, 2, 4)));
        yield return Mistake(
            "gated linear outputs", "outputs of the up",
            (s, b) => s.GatedLinear(M(b, 2, 8), Vector(b, 4, 8), null, Vector(b, 5, 8), null, ActivationKind.Silu, M(b, 2, 8), M(b, 2, 4)));
        yield return Mistake(
            "gated linear bias", "the gate's bias",
            (s, b) => s.GatedLinear(
                M(b, 2, 8), Vector(b, 4, 8), Vector(b, 1, 5), Vector(b, 4, 8), null, ActivationKind.Silu, M(b, 2, 8), M(b, 2, 4)));
        yield return Mistake("gather rows", "y", (s, b) => s.Gather(M(b, 4, 8), Ints(b, 3), M(b, 2, 8)));
        yield return Mistake("mixture wider than its parts", "vocabulary", (s, b) => s.Interpolate(M(b, 2, 8), M(b, 2, 9), Rows(b, 2), M(b, 2, 9)));
        yield return Mistake("too few head rows", "rows", (s, b) => s.SampleLogits(M(b, 3, 8), Rows(b, 2), Rows(b, 1), Rows(b, 2)));
        yield return Mistake(
            "drafts' vocabulary", "vocabulary", (s, b) => s.VerifyDrafts(M(b, 2, 8), M(b, 2, 9), Ints(b, 2), Rows(b, 2), Rows(b, 1), Rows(b, 2)));
        yield return Mistake(
            "too few drafts", "drafts", (s, b) => s.VerifyDrafts(M(b, 2, 8), M(b, 2, 8), Ints(b, 1), Rows(b, 2), Rows(b, 1), Rows(b, 2)));
        yield return Mistake("head without a model", "at least one model", (s, b) => s.RealignHead(null, null, 8, Rows(b, 2), Rows(b, 1), true, Rows(b, 2), null));
        yield return Mistake(
            "hidden states of different numbers", "rows of hidden states",
            (s, b) => s.RealignHead(Side(b, 2, 4, 8), Side(b, 3, 4, 8), 8, Rows(b, 3), Rows(b, 1), true, Rows(b, 3), null));
        yield return Mistake(
            "vocabulary past the projection", "vocabulary", (s, b) => s.RealignHead(Side(b, 2, 4, 8), null, 9, Rows(b, 2), Rows(b, 1), true, Rows(b, 2), null));
        yield return Mistake(
            "results too small", "results", (s, b) => s.RealignHead(Side(b, 9, 4, 8), null, 8, Rows(b, 9), Rows(b, 1), true, Rows(b, 2), null));
        yield return Mistake(
            "input-major projection", "output-major",
            (s, b) => s.RealignHead(
                Side(b, 2, 4, 8) with { Output = Vector(b, 8, 4) with { InputMajor = true } }, null, 8, Rows(b, 2), Rows(b, 1), true, Rows(b, 2), null));
        yield return Mistake(
            "targets", "targets",
            (s, b) => s.RealignScore(Side(b, 2, 4, 8), Side(b, 2, 4, 8), 8, Ints(b, 3), Rows(b, 1), 1, Rows(b, 2), Rows(b, 2)));
        yield return Mistake(
            "attention output", "output",
            (s, b) => s.PagedAttention(M(b, 1, 24), QkvLayout.Stacked(1, 1, 8), Cache(b, 8), Step(b), new AttentionOptions(1), M(b, 1, 9)));
        yield return Mistake(
            "packed projections", "qkv",
            (s, b) => s.PagedAttention(M(b, 1, 23), QkvLayout.Stacked(1, 1, 8), Cache(b, 8), Step(b), new AttentionOptions(1), M(b, 1, 8)));
        yield return Mistake(
            "cache of another head width", "head dimension", (s, b) => s.RopeAndStoreKv(M(b, 1, 24), QkvLayout.Stacked(1, 1, 8), null, null, Cache(b, 4), Step(b)));
        yield return Mistake(
            "rotation wider than a head", "rotated",
            (s, b) => s.RopeAndStoreKv(M(b, 1, 24), QkvLayout.Stacked(1, 1, 8), new RopeTable(M(b, 1, 5), M(b, 1, 5)), null, Cache(b, 8), Step(b)));
        yield return Mistake("write past a buffer", "target", (s, b) => s.Write<float>(b.Buffer<float>([1, 2, 3, 4]), 8, [1, 2, 3]));
        yield return Mistake("read before a buffer", "source", (s, b) => s.Read<float>(b.Buffer<float>([1, 2, 3, 4]), -4, new float[1]));
    }

    [TestCaseSource(nameof(Mistakes))]
    public void Wrong_shape_throws_and_names_it(string named, Action<KernelSet, object> call)
    {
        using var set = new NaiveKernelSet();
        using var bench = new Workbench(set);
        Assert.That(() => call(set, bench), Throws.InstanceOf<ArgumentException>().With.Message.Contains(named));
    }

    private static TestCaseData Mistake(string name, string named, Action<KernelSet, Workbench> call) =>
        new TestCaseData(named, (Action<KernelSet, object>)((set, bench) => call(set, (Workbench)bench))).SetArgDisplayNames(name);

    private static Matrix M(Workbench bench, int rows, int columns) => bench.Zeros(rows, columns);

    private static Weight Vector(Workbench bench, int rows, int columns) => bench.Weight(new HostWeight(DType.F32, new float[rows, columns]), 0);

    private static IntVector Ints(Workbench bench, int count) => bench.Ints(new int[count]);

    private static DeviceBuffer Rows(Workbench bench, int count) => bench.Buffer<HeadRow>(new HeadRow[count]);

    private static HeadModel Side(Workbench bench, int rows, int hidden, int vocabulary) => new(M(bench, rows, hidden), Vector(bench, vocabulary, hidden));

    private static KvLayer Cache(Workbench bench, int headDim) =>
        new(M(bench, 16, headDim).Buffer, M(bench, 16, headDim).Buffer, 0, 1, 16, 1, headDim);

    private static DeviceBatch Step(Workbench bench) => new PagedBatch(new TestData("step"), 16, (0, 1)).Upload(bench);
}
