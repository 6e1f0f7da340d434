using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>What two checkpoints share, and when they do not fit.</summary>
[TestFixtureSource(typeof(TestDevice), nameof(TestDevice.Names))]
internal sealed class PairTests(string deviceName) : DeviceTests(deviceName)
{
    [Test]
    public void Identical_tensors_are_stored_once_and_the_head_is_recognised_as_shared()
    {
        string config = Variants.Llama(""" "rope_theta": 10000.0 """);
        using var reference = new TinyCheckpoint(config);
        using var aligned = new TinyCheckpoint(config, change: t => t["model.layers.1.mlp.up_proj.weight"].Values[5] += 0.5f);
        using ModelPair pair = ModelPair.Load(reference.Path, aligned.Path, Device.Kernels);
        using Checkpoint opened = Checkpoint.Open(reference.Path);

        // All but one of the tensors, and the reference's stored whole.
        CheckpointTensor changed = opened.Weights.Layers[1].UpProj!;
        Assert.That(pair.SharedTensors!.Count, Is.EqualTo(opened.Summary.TensorCount - 1));
        Assert.That(pair.SharedTensors.Bytes, Is.EqualTo(opened.Summary.ByteLength - changed.ByteLength));
        Assert.That(pair.Memory.WeightBytes, Is.EqualTo(opened.Summary.ByteLength + changed.ByteLength));
        Assert.That(pair.SharedOutputHead, Is.True);
        Assert.That(pair.Aligned.Rotary, Is.SameAs(pair.Reference.Rotary));

        // The pair still mixes two models.
        using var driver = new PairDriver(Device.Kernels, pair);
        (float[] r, float[] a) = driver.LastLogits([1, 2, 3]);
        Assert.That(a, Is.Not.EqualTo(r));
        using var alone = new SingleModel(Device.Kernels, aligned.Path);
        Assert.That(a, Is.EqualTo(alone.Logits([1, 2, 3])[^123..]));
    }

    [Test]
    public void A_change_outside_the_samples_is_noticed()
    {
        string config = Variants.Llama(""" "rope_theta": 10000.0 """);
        for (int seed = 0; seed < 20; seed++)
        {
            int at = new Random(seed).Next(123 * 40);
            using var reference = new TinyCheckpoint(config);
            using var aligned = new TinyCheckpoint(config, change: t => t["lm_head.weight"].Values[at] += 1e-6f);
            using Checkpoint r = Checkpoint.Open(reference.Path), a = Checkpoint.Open(aligned.Path);
            SharedTensors shared = SharedTensors.Find(r.Weights, a.Weights);
            Assert.That(shared.StoredAs(a.Weights.OutputHead), Is.Null, $"element {at}");
            Assert.That(shared.StoredAs(a.Weights.Embedding), Is.SameAs(r.Weights.Embedding));
        }
    }

    [Test]
    public void A_soft_cap_on_logits_rules_out_a_shared_projection()
    {
        string config = Variants.Config("gemma2, one key-value head");
        using var reference = new TinyCheckpoint(config);
        using var aligned = new TinyCheckpoint(config, change: t => t["model.norm.weight"].Values[0] += 1);
        using ModelPair pair = ModelPair.Load(reference.Path, aligned.Path, Device.Kernels);
        Assert.That(pair.Reference.Head(default).Output, Is.EqualTo(pair.Aligned.Head(default).Output));
        Assert.That(pair.SharedOutputHead, Is.False);
    }

    [Test]
    public void One_folder_is_loaded_and_run_once()
    {
        using var folder = new TinyCheckpoint(Variants.Config("gemma"));
        foreach (string? aligned in new[] { null, folder.Path, folder.Path + "/" })
        {
            using ModelPair pair = ModelPair.Load(folder.Path, aligned, Device.Kernels);
            Assert.That(pair.IsSingleModel, Is.True, aligned ?? "none");
            Assert.That(pair.SharedTensors, Is.Null);
            Assert.That(pair.Memory.Estimates.Single().Models, Has.Count.EqualTo(1));
        }

        using var driver = new PairDriver(Device.Kernels, ModelPair.Load(folder.Path, null, Device.Kernels));
        (float[] r, float[] a) = driver.LastLogits([5, 6, 7]);
        Assert.That(a, Is.EqualTo(r));
        driver.Forward([5, 6, 7], 0, 1, needReference: false);
        Device.Kernels.Run();
    }

    [Test]
    public void Models_of_different_families_and_vocabulary_padding_make_a_pair()
    {
        using var small = new TinyCheckpoint(Variants.Config("gpt2, unscaled attention, exact gelu"));
        using var large = new TinyCheckpoint(Variants.Llama(""" "rope_theta": 10000.0 """, vocabulary: 128));
        using var driver = new PairDriver(Device.Kernels, ModelPair.Load(small.Path, large.Path, Device.Kernels));
        Assert.That(driver.Pair.Vocabulary, Is.EqualTo(123));
        Assert.That(driver.Pair.MaxPositions, Is.EqualTo(64));
        using var first = new SingleModel(Device.Kernels, small.Path);
        using var second = new SingleModel(Device.Kernels, large.Path);
        float[] r = first.Logits([9, 8, 7])[^123..], a = second.Logits([9, 8, 7])[^128..][..123];
        int best = Enumerable.Range(0, 123).MaxBy(v => (0.5f * r[v]) + (0.5f * a[v]));
        Assert.That(driver.Greedy([[9, 8, 7]], [0], [0.5f])[0].Token, Is.EqualTo(best));

        // Padding of the larger vocabulary is not a token of the pair's reference.
        Assert.That(() => driver.Forward([125], 0, 1), Throws.TypeOf<ModelInputException>());
    }

    [Test]
    public void A_step_past_the_capacity_is_refused()
    {
        using var folder = new TinyCheckpoint(Variants.Config("gemma"));
        using ModelPair pair = ModelPair.Load(folder.Path, null, Device.Kernels);
        using var batch = new ForwardBatch(Device.Kernels);
        batch.Add([1, 2, 3], 0, [0], 3, 2);
        batch.Upload();
        Assert.That(() => pair.Forward(batch), Throws.InvalidOperationException);
        pair.Allocate(new StepCapacity(2, 2, 1));
        Assert.That(() => pair.Forward(batch), Throws.ArgumentException.With.Message.Contain("3 tokens"));
        pair.Allocate(new StepCapacity(3, 1, 1));
        Assert.That(() => pair.Forward(batch), Throws.ArgumentException.With.Message.Contain("2 outputs"));
        pair.Allocate(new StepCapacity(3, 2, 1));
        Assert.That(() => pair.Forward(batch), Throws.Nothing);
        Device.Kernels.Run();
    }

    [Test]
    public void A_copied_block_holds_what_the_original_held_in_both_models()
    {
        string config = Variants.Llama(""" "rope_theta": 10000.0 """);
        using var first = new TinyCheckpoint(config);
        using var second = new TinyCheckpoint(config, change: t => t["model.layers.1.mlp.up_proj.weight"].Values[5] += 0.5f);
        using ModelPair pair = ModelPair.Load(first.Path, second.Path, Device.Kernels);
        using var batch = new ForwardBatch(Device.Kernels);
        pair.Allocate(new StepCapacity(Tokens: 32, Outputs: 1, CacheBlocks: 8));
        int[] text = [.. Enumerable.Range(1, 21)];
        Run(text[..20], 0, [2, 1]);
        (float[], float[]) expected = Run(text, 20, [2, 1]);

        pair.CopyBlocks([(2, 7), (1, 3)]);
        Device.Kernels.Run();
        Run([.. Enumerable.Range(50, 20)], 0, [2, 1]); // what comes to the original afterwards does not reach the copy
        Assert.That(Run(text, 20, [7, 3]), Is.EqualTo(expected));
        Assert.That(() => pair.CopyBlocks([(0, 8)]), Throws.InstanceOf<ArgumentException>());

        (float[], float[]) Run(int[] tokens, int start, int[] blocks)
        {
            batch.Clear();
            batch.Add(tokens.AsSpan(start), start, blocks, tokens.Length, outputs: 1);
            batch.Upload();
            pair.Forward(batch);
            Device.Kernels.Run();
            return (Hidden(pair.ReferenceHead(0, 1)), Hidden(pair.AlignedHead(0, 1)));
        }

        float[] Hidden(HeadModel head)
        {
            var values = new float[head.Hidden.Columns];
            Device.Kernels.Read<float>(head.Hidden.Buffer, sizeof(float) * head.Hidden.Offset, values);
            return values;
        }
    }

    [TestCase(DType.F16, 5e-3)]
    [TestCase(DType.BF16, 5e-2)]
    public void Weights_can_be_stored_in_another_type(DType type, double tolerance)
    {
        using var folder = new TinyCheckpoint(Variants.Config("llama, one key-value head"));
        using ModelPair full = ModelPair.Load(folder.Path, null, Device.Kernels), half = ModelPair.Load(folder.Path, null, Device.Kernels, type);
        Assert.That(half.Memory.WeightBytes, Is.EqualTo(full.Memory.WeightBytes / 2));
        float[] Last(ModelPair pair)
        {
            var last = Array.Empty<float>();
            LogitsComputer.Compute(pair.Reference, Device.Kernels, [1, 2, 3, 4], (_, row) => last = row.ToArray());
            return last;
        }

        float[] expected = Last(full), rounded = Last(half);
        double scale = Math.Sqrt(expected.Average(v => v * v));
        Assert.That(rounded, Is.Not.EqualTo(expected));
        Assert.That(Math.Sqrt(expected.Zip(rounded, (a, b) => (a - b) * (a - b)).Average()) / scale, Is.LessThan(tolerance));
    }

    [TestCase(DType.F16, 65520f)]
    [TestCase(DType.BF16, 3.4e38f)]
    public void A_value_that_the_type_asked_for_cannot_hold_is_refused(DType type, float value)
    {
        using var folder = new TinyCheckpoint(
            Variants.Config("llama, one key-value head"), change: t => t["model.layers.2.mlp.down_proj.weight"].Values[^1] = value);
        Assert.That(
            () => ModelPair.Load(folder.Path, null, Device.Kernels, type),
            Throws.TypeOf<CheckpointException>().With.Message.Contain("model.layers.2.mlp.down_proj.weight"));
    }
}
