using System.Text.Json;
using DeRa.Kernels;

namespace DeRa.Checkpoints.Tests;

/// <summary>Every golden checkpoint opens, and what it says about itself agrees with an independent reading of its files.</summary>
[TestFixture]
public sealed class GoldenModelTests
{
    [TestCaseSource(typeof(GoldenModels), nameof(GoldenModels.Folders))]
    public void Opens_and_uses_every_tensor(string folder)
    {
        using Checkpoint checkpoint = Checkpoint.Open(GoldenModels.PathOf(folder));
        Assert.Multiple(() =>
        {
            Assert.That(checkpoint.UnusedTensors, Is.Empty);
            Assert.That(checkpoint.Weights.Layers, Has.Count.EqualTo(checkpoint.Config.NumLayers));
            Assert.That(checkpoint.Summary.IsTied, Is.EqualTo(checkpoint.Config.TieWordEmbeddings));
            Assert.That(checkpoint.Summary.ByteLength, Is.EqualTo(StoredWeightBytes(GoldenModels.PathOf(folder))));
            Assert.That(checkpoint.Summary.BytesByDType.Values.Sum(), Is.EqualTo(checkpoint.Summary.ByteLength));
        });
    }

    [TestCaseSource(typeof(GoldenModels), nameof(GoldenModels.FoldersWithVersion5Config))]
    public void Both_config_schemas_normalise_to_the_same_record(string folder)
    {
        string path = GoldenModels.PathOf(folder);
        Assert.That(ModelConfig.Load(path, "config_v5.json"), Is.EqualTo(ModelConfig.Load(path)));
    }

    [Test]
    public void Stored_dtype_is_kept()
    {
        using Checkpoint bf16 = Checkpoint.Open(GoldenModels.PathOf("mistral_zephyr_like/ref"));
        using Checkpoint f32 = Checkpoint.Open(GoldenModels.PathOf("mistral_zephyr_like/aligned"));
        using Checkpoint f16 = Checkpoint.Open(GoldenModels.PathOf("neox_parallel_f16/ref"));
        Assert.Multiple(() =>
        {
            Assert.That(bf16.Weights.All().Select(t => t.DType), Is.All.EqualTo(DType.BF16));
            Assert.That(f32.Weights.All().Select(t => t.DType), Is.All.EqualTo(DType.F32));
            Assert.That(f16.Weights.All().Select(t => t.DType), Is.All.EqualTo(DType.F16));
        });
    }

    [Test]
    public unsafe void Tensor_bytes_are_those_at_the_header_s_offsets()
    {
        string path = Path.Combine(GoldenModels.PathOf("llama_basic/ref"), "model.safetensors");
        byte[] file = File.ReadAllBytes(path);
        int json = (int)BitConverter.ToUInt64(file);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, json));
        using Checkpoint checkpoint = Checkpoint.Open(GoldenModels.PathOf("llama_basic/ref"));
        foreach (CheckpointTensor tensor in checkpoint.Weights.All())
        {
            JsonElement offsets = header.RootElement.GetProperty(tensor.Name).GetProperty("data_offsets");
            int begin = 8 + json + offsets[0].GetInt32();
            byte[] expected = file[begin..(8 + json + offsets[1].GetInt32())];
            Assert.That(tensor.Bytes(0, (int)tensor.ByteLength).SequenceEqual(expected), Is.True, tensor.Name);
            Assert.That(new ReadOnlySpan<byte>(tensor.Pointer, (int)tensor.ByteLength).SequenceEqual(expected), Is.True, tensor.Name);
        }
    }

    [Test]
    public void Equal_content_has_equal_hash_and_different_content_has_not()
    {
        using Checkpoint reference = Checkpoint.Open(GoldenModels.PathOf("llama_basic/ref"));
        using Checkpoint again = Checkpoint.Open(GoldenModels.PathOf("llama_basic/ref"));
        using Checkpoint aligned = Checkpoint.Open(GoldenModels.PathOf("llama_basic/aligned"));
        CheckpointTensor q = reference.Weights.Layers[0].QProj!;
        CheckpointTensor same = again.Weights.Layers[0].QProj!;
        CheckpointTensor other = aligned.Weights.Layers[0].QProj!;
        Assert.Multiple(() =>
        {
            Assert.That(q.ContentEquals(same), Is.True);
            Assert.That(q.ContentHash, Is.EqualTo(same.ContentHash));
            Assert.That(q.ContentEquals(other), Is.False);
            Assert.That(q.ContentHash, Is.Not.EqualTo(other.ContentHash));
        });
    }

    [Test]
    public void Disposed_checkpoint_gives_no_pointers()
    {
        Checkpoint checkpoint = Checkpoint.Open(GoldenModels.PathOf("llama_basic/ref"));
        CheckpointTensor embedding = checkpoint.Weights.Embedding;
        checkpoint.Dispose();
        Assert.That(() => embedding.Bytes(0, 1).Length, Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Gemma2_config_carries_its_peculiarities()
    {
        ModelConfig config = ModelConfig.Load(GoldenModels.PathOf("gemma2/ref"));
        Assert.Multiple(() =>
        {
            Assert.That(config.SlidingWindows, Is.EqualTo(new int?[] { 8, null, 8, null }));
            Assert.That(config.AttentionScales, Is.All.EqualTo((float)(1 / Math.Sqrt(24))));
            Assert.That(config.AttentionSoftCap, Is.EqualTo(6f));
            Assert.That(config.LogitSoftCap, Is.EqualTo(5f));
            Assert.That(config.EmbeddingScale, Is.EqualTo(8f));
            Assert.That(config.UnitOffsetNorm, Is.True);
            Assert.That(config.TieWordEmbeddings, Is.True);
            Assert.That(config.Activation, Is.EqualTo(ActivationKind.GeluTanh));
        });
    }

    [Test]
    public void Generation_config_wins_and_lists_of_end_tokens_are_kept()
    {
        ModelConfig config = ModelConfig.Load(GoldenModels.PathOf("llama3_tied_bf16_sharded/ref"));
        Assert.Multiple(() =>
        {
            Assert.That(config.EosIds, Is.EqualTo(new[] { 4, 5 }));
            Assert.That(config.BosId, Is.EqualTo(3));
            Assert.That(config.Generation.Temperature, Is.EqualTo(0.6f));
            Assert.That(config.Generation.TopP, Is.EqualTo(0.9f));
            Assert.That(config.Generation.DoSample, Is.True);
        });
    }

    // Sums the header's entries whose names are parameters, by a reading of the files independent of the engine's.
    private static long StoredWeightBytes(string folder)
    {
        long total = 0;
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors"))
        {
            byte[] file = File.ReadAllBytes(path);
            using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, (int)BitConverter.ToUInt64(file)));
            foreach (JsonProperty entry in header.RootElement.EnumerateObject())
            {
                bool parameter = entry.Name != "__metadata__"
                    && !entry.Name.EndsWith("inv_freq", StringComparison.Ordinal)
                    && !entry.Name.EndsWith(".attention.bias", StringComparison.Ordinal)
                    && !entry.Name.EndsWith("masked_bias", StringComparison.Ordinal);
                if (!parameter) continue;
                JsonElement offsets = entry.Value.GetProperty("data_offsets");
                total += offsets[1].GetInt64() - offsets[0].GetInt64();
            }
        }

        return total;
    }
}
