using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Kernels.Cpu;

namespace DeRa.Models.Tests;

/// <summary>
/// Each model on a device of its own. Two devices of a kind compute what one does, bit for bit; devices of different kinds, each its model within
/// float32's rounding, and a row the same whatever else is in the batch.
/// </summary>
internal sealed class TwoDevicesTests
{
    private static readonly int[] Text = [.. Enumerable.Range(0, 30).Select(i => (i * 37) % 120)];
    private static readonly float[] Lambdas = [0, 0.3f, 1, 2.5f];

    /// <summary>Matrices of their own, one output matrix for both, the embedding as output, capped logits, learned positions.</summary>
    private static readonly (string Config, string Changed)[] Pairs =
    [
        (Variants.Llama(""" "rope_theta": 10000.0 """), "lm_head.weight"),
        (Variants.Llama(""" "rope_theta": 10000.0 """), "model.layers.1.mlp.up_proj.weight"),
        (Variants.Llama(""" "rope_theta": 10000.0 """, "qwen2", tied: true), "model.embed_tokens.weight"),
        (Variants.Config("gemma2, one key-value head"), "model.norm.weight"),
        (Variants.Config("gpt2, unscaled attention, exact gelu"), "transformer.h.0.mlp.c_fc.weight"),
    ];

    private static IEnumerable<TestCaseData> Cases => Pairs.Select(pair => new TestCaseData(pair.Config, pair.Changed).SetArgDisplayNames(pair.Changed));

    [TestCaseSource(nameof(Cases))]
    public void Two_devices_of_a_kind_compute_what_one_does(string config, string changed)
    {
        using var reference = new TinyCheckpoint(config);
        using var aligned = new TinyCheckpoint(config, change: t => t[changed].Values[5] += 0.5f);
        using var one = new CpuKernelSet(2);
        using var two = new PairDevices(new CpuKernelSet(1), new CpuKernelSet(2));
        using var together = new PairDriver(one, ModelPair.Load(reference.Path, aligned.Path, one));
        using var apart = new PairDriver(two.Head, ModelPair.Load(reference.Path, aligned.Path, two));
        Assert.That(apart.Pair.Devices.Head, Is.SameAs(two.Aligned));
        Assert.That(apart.Pair.SharedOutputHead, Is.EqualTo(together.Pair.SharedOutputHead));
        Assert.That(apart.LastLogits(Text), Is.EqualTo(together.LastLogits(Text)));
        Assert.That(apart.Continue(Text[..7], Lambdas, 12), Is.EqualTo(together.Continue(Text[..7], Lambdas, 12)));
        Assert.That(apart.Continue(Text[..5], [0], 3), Is.EqualTo(together.Continue(Text[..5], [0], 3)), "the reference alone, whose states move");
        Assert.That(apart.Continue(Text[..5], [1], 3), Is.EqualTo(together.Continue(Text[..5], [1], 3)), "the aligned model alone");
        (ScoreStatistic[] statistics, TargetLogits[] targets) = apart.Score(Text, 3, Lambdas);
        (ScoreStatistic[] expected, TargetLogits[] expectedTargets) = together.Score(Text, 3, Lambdas);
        Assert.That(statistics, Is.EqualTo(expected));
        Assert.That(targets, Is.EqualTo(expectedTargets));
    }

    [Test]
    public void A_batch_of_its_own_for_each_model()
    {
        using var reference = new TinyCheckpoint(Pairs[0].Config, seed: 1);
        using var aligned = new TinyCheckpoint(Pairs[0].Config, seed: 2);
        using var one = new CpuKernelSet(1);
        using var two = new PairDevices(new CpuKernelSet(1), new CpuKernelSet(1));
        using var single = ModelPair.Load(reference.Path, aligned.Path, one);
        using var pair = ModelPair.Load(reference.Path, aligned.Path, two);
        Assert.That(Run(pair), Is.EqualTo(Run(single)));

        static (float[] Reference, float[] Aligned) Run(ModelPair pair)
        {
            pair.Allocate(new StepCapacity(Tokens: 32, Outputs: 8, CacheBlocks: 8));
            using ForwardBatch first = pair.CreateBatch(), second = pair.CreateBatch();
            first.Add(Text.AsSpan(0, 9), 0, [3], 9, outputs: 2);
            second.Add(Text.AsSpan(0, 21), 0, [5, 6], 21, outputs: 3);
            first.Upload();
            second.Upload();
            pair.Forward(first, second);
            return (Hidden(pair, pair.ReferenceHead(0, 2)), Hidden(pair, pair.AlignedHead(0, 3)));
        }
    }

    [Test]
    public void Devices_of_two_kinds_agree_with_each_alone_and_a_row_does_not_depend_on_the_batch([Values] bool referenceOnCpu)
    {
        KernelSet opencl = new TestDevice("opencl").Kernels;
        var own = new CpuKernelSet(2);
        using var reference = new TinyCheckpoint(Pairs[0].Config, seed: 1);
        using var aligned = new TinyCheckpoint(Pairs[0].Config, seed: 2);
        var devices = referenceOnCpu ? new PairDevices(own, opencl) : new PairDevices(opencl, own); // not disposed of: the OpenCL set is others' too
        using (own)
        using (var apart = new PairDriver(devices.Head, ModelPair.Load(reference.Path, aligned.Path, devices)))
        using (var together = new PairDriver(own, ModelPair.Load(reference.Path, aligned.Path, own)))
        {
            (float[] r, float[] a) = apart.LastLogits(Text);
            (float[] expectedReference, float[] expectedAligned) = together.LastLogits(Text);
            Close.Within(GoldenCase.LogitTolerance, r, expectedReference, "reference");
            Close.Within(GoldenCase.LogitTolerance, a, expectedAligned, "aligned");

            HeadResult alone = apart.Greedy([Text], [0], [0.3f])[0];
            HeadResult[] crowd = apart.Greedy([Text[..3], Text[..17], Text, [5], Text[..29]], [0, 0, 0, 0, 0], [0, 0.3f, 0.3f, 1, 2.5f]);
            Assert.That(crowd[2], Is.EqualTo(alone));
        }
    }

    [Test]
    public void Each_device_takes_what_its_estimate_says()
    {
        (string config, string changed) = Pairs[1]; // one output matrix for both
        using var reference = new TinyCheckpoint(config);
        using var aligned = new TinyCheckpoint(config, change: t => t[changed].Values[5] += 0.5f);
        using Checkpoint r = Checkpoint.Open(reference.Path), a = Checkpoint.Open(aligned.Path);
        SharedTensors shared = SharedTensors.Find(r.Weights, a.Weights);
        long all = MemoryEstimate.Of(r).WeightBytes, output = r.Weights.OutputHead.ByteLength;
        MemoryEstimate layers = MemoryEstimate.OfOneSide(r, a, hasHead: false, shared), head = MemoryEstimate.OfOneSide(a, r, hasHead: true, shared);
        Assert.That((layers.WeightBytes, head.WeightBytes), Is.EqualTo((all - output, all)));
        Assert.That(MemoryEstimate.OfOneSide(a, r, hasHead: true).WeightBytes, Is.EqualTo(all + output), "a matrix of its own");

        var capacity = new StepCapacity(5, 2, 7);
        Assert.That(head.ActivationBytes(capacity) - layers.ActivationBytes(capacity), Is.EqualTo(2 * 4 * 40), "the states that arrive");
        Assert.That(layers.StepBytes(capacity) - layers.ActivationBytes(capacity), Is.EqualTo(7 * KvCache.BytesPerBlock(r.Config)));
    }

    [Test]
    public void One_model_alone_is_refused_two_devices()
    {
        using var folder = new TinyCheckpoint(Pairs[0].Config);
        using var two = new PairDevices(new CpuKernelSet(1), new CpuKernelSet(1));
        Assert.That(
            () => ModelPair.Load(folder.Path, folder.Path, two), Throws.TypeOf<DeviceException>().With.Message.Contain("one model alone runs on one device"));
    }

    [Test]
    public void What_a_device_throws_reaches_the_caller()
    {
        using var reference = new TinyCheckpoint(Pairs[0].Config, seed: 1);
        using var aligned = new TinyCheckpoint(Variants.Llama(""" "rope_theta": 10000.0 """, vocabulary: 100), seed: 2);
        using var two = new PairDevices(new CpuKernelSet(1), new CpuKernelSet(1));
        using var driver = new PairDriver(two.Head, ModelPair.Load(reference.Path, aligned.Path, two));
        Assert.That(() => driver.Forward([110], 0, 1), Throws.TypeOf<ModelInputException>());
        Assert.That(driver.Greedy([[1, 2]], [0], [0.5f])[0].LogProb, Is.Not.NaN, "the pair goes on");
    }

    private static float[] Hidden(ModelPair pair, HeadModel head)
    {
        pair.Devices.Head.Run();
        var values = new float[head.Hidden.Rows * head.Hidden.Columns];
        pair.Devices.Head.Read<float>(head.Hidden.Buffer, sizeof(float) * head.Hidden.Offset, values);
        return values;
    }
}
