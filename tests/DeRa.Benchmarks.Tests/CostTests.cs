using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Benchmarks.Tests;

/// <summary>Bytes and operations, counted by hand for a shape small enough to do so.</summary>
public sealed class CostTests
{
    // 2 layers; q 32×32, k and v 16×32, o 32×32, gate and up 48×32, down 32×48.
    private const int LayerElements = (2 * 32 * 32) + (2 * 16 * 32) + (3 * 48 * 32);

    private const int NormElements = 2 * 32;

    internal const int TinyLayers = 2 * LayerElements;

    internal static ModelShape Tiny { get; } = new("tiny", 32, 2, 4, 2, 48, 80, TiedOutput: false);

    [TestCase("15m", 15_191_712L)] // 32,000·288 + 6·(4·288² + 3·288·768 + 2·288) + 288
    [TestCase("110m", 109_529_856L)] // 32,000·768 + 12·(4·768² + 3·768·2048 + 2·768) + 768
    [TestCase("1.1b", 1_100_048_384L)] // TinyLlama's published count
    [TestCase("3b", 3_212_749_824L)] // Llama 3.2 3B's published count
    [TestCase("8b", 8_030_261_248L)] // Llama 3 8B's published count
    public void A_shape_has_the_parameters_of_its_model(string name, long parameters) =>
        Assert.That(ModelShape.All.Single(shape => shape.Name == name).Parameters, Is.EqualTo(parameters));

    [Test]
    public void A_decode_step_reads_each_weight_once_and_each_sequences_cache()
    {
        Work work = WithCost(null, cost => cost.Layers(sequences: 3, start: 10, count: 1));

        // Keys and values of 11 positions, 2 layers, 2 heads of 8 elements, float32; attention 2 · 2 · 4 heads · 8 elements per position.
        Assert.That(work.Bytes, Is.EqualTo((2 * 2 * (LayerElements + NormElements)) + (3 * 11 * 2 * 2 * 2 * 8 * 4)));
        Assert.That(work.Flops, Is.EqualTo((3 * 2 * 2 * LayerElements) + (3 * 11 * 2 * 4 * 4 * 8)));
    }

    [Test]
    public void A_prompt_attends_to_what_precedes_each_of_its_tokens()
    {
        Work work = WithCost(null, cost => cost.Layers(sequences: 1, start: 0, count: 4));
        Assert.That(work.Flops, Is.EqualTo((4 * 2 * 2 * LayerElements) + ((1 + 2 + 3 + 4) * 2 * 4 * 4 * 8)));
    }

    [Test]
    public void Another_storage_type_changes_bytes_and_not_operations()
    {
        Work half = WithCost(null, cost => cost.HeadWeights.Project(5)), full = WithCost(DType.F32, cost => cost.HeadWeights.Project(5));
        Assert.That(half, Is.EqualTo(new Work(80 * 32 * 2, 2 * 80 * 32 * 5)));
        Assert.That(full, Is.EqualTo(new Work(80 * 32 * 4, 2 * 80 * 32 * 5)));
    }

    [Test]
    public void Stored_logits_are_written_and_read_by_every_stage() =>
        Assert.That(HeadCost.StoredLogits(vocabulary: 10, rows: 3, mixtures: 2), Is.EqualTo(new Work((2 + 8) * 3 * 10 * 4, 0)));

    [Test]
    public void The_floor_is_the_longer_of_moving_and_computing()
    {
        var ceilings = new DeviceCeilings(100, 1000, "given");
        Assert.That(ceilings.FloorSeconds(new Work(200, 1000)), Is.EqualTo(2));
        Assert.That(ceilings.BoundOf(new Work(200, 1000)), Is.EqualTo(Bound.Memory));
        Assert.That(ceilings.FloorSeconds(new Work(200, 5000)), Is.EqualTo(5));
        Assert.That(ceilings.BoundOf(new Work(200, 5000)), Is.EqualTo(Bound.Compute));
        Assert.That(new DeviceCeilings(null, null, "not measured").FloorSeconds(new Work(1, 1)), Is.Null);
    }

    [Test]
    public void A_gain_is_claimed_only_where_the_ranges_do_not_touch()
    {
        var naive = new Timing([2, 3, 4], 4);
        Assert.That(FusionGain.Of(new Timing([1, 1.5, 1.9], 1), naive), Is.EqualTo(new FusionGain(2, FusionVerdict.Faster)));
        Assert.That(FusionGain.Of(new Timing([1, 1.5, 2.1], 1), naive).Verdict, Is.EqualTo(FusionVerdict.NoDifference));
        Assert.That(FusionGain.Of(new Timing([4.1, 6, 9], 1), naive), Is.EqualTo(new FusionGain(0.5, FusionVerdict.Slower)));
    }

    [Test]
    public void The_processors_ceilings_are_finite_and_positive()
    {
        Assert.That(ProcessorCeilings.ReadBytesPerSecond(2, 1 << 20, 2), Is.GreaterThan(0).And.LessThan(double.PositiveInfinity));
        Assert.That(ProcessorCeilings.FlopsPerSecond(2, 2, 1000), Is.GreaterThan(0).And.LessThan(double.PositiveInfinity));
    }

    [Test]
    public void Only_a_processors_ceilings_change_from_round_to_round()
    {
        DeviceCeilings ofGpu = new(10, 1000, "made up"), ofProcessor = ofGpu with { IsProcessor = true };
        using var constant = CeilingRounds.Of(ofGpu);
        constant.Measure();
        using var measured = CeilingRounds.Of(ofProcessor);
        measured.Measure();
        measured.Measure();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(constant.Rounds, Is.EqualTo(new[] { ofGpu }));
            Assert.That(constant.Bytes, Is.Zero);
            Assert.That(measured.Rounds, Has.Count.EqualTo(2));
            Assert.That(measured.Rounds.Select(round => round.ReadBytesPerSecond), Is.All.GreaterThan(1e6).And.All.LessThan(double.PositiveInfinity));
            Assert.That(measured.Rounds.Select(round => round.FlopsPerSecond), Is.All.GreaterThan(1e6).And.All.LessThan(double.PositiveInfinity));
            Assert.That(measured.Bytes, Is.EqualTo(ProcessorCeilings.WorkingSetBytes).Within(1 << 16));
        }
    }

    [Test]
    public void A_share_is_of_the_ceilings_of_its_own_repeat()
    {
        DeviceCeilings Round(double read) => new(read, 1e9, "made up");
        var variant = new Variant(Mode.Fused, () => { }, new Work(100, 10), new Work(90, 10));
        var @case = new Case(new CaseDescription("decode") { Batch = 1 }, 1, [variant]);
        var measured = new Measurement(@case, variant, new Timing([1, 2, 4], 1), [Round(200), Round(60), Round(40)])
        {
            Device = "cpu",
            Model = "made up",
            Repeats = 3,
            PeakMemoryBytes = 0,
        };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(measured.ShareOfBandwidth, Is.EqualTo(0.625).Within(1e-12)); // of 0.5, 0.833 and 0.625
            Assert.That(measured.ShareOfFloor, Is.EqualTo(0.5625).Within(1e-12));
            Assert.That(measured.CeilingBytesPerSecond, Is.EqualTo(60));
            Assert.That(measured.MedianSeconds, Is.EqualTo(2));
        }
    }

    private static T WithCost<T>(DType? type, Func<ModelCost, T> use)
    {
        using PairFolders pair = PairFolders.Random(Tiny);
        using Checkpoint checkpoint = Checkpoint.Open(pair.Reference);
        return use(ModelCost.Of(checkpoint, type));
    }
}
