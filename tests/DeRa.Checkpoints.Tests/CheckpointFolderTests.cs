using System.Text;
using DeRa.Checkpoints.Safetensors;

namespace DeRa.Checkpoints.Tests;

/// <summary>What lies in a folder: one file, shards with an index, or something the engine does not read.</summary>
[TestFixture]
public sealed class CheckpointFolderTests
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Second = "model-00002-of-00002.safetensors";

    private static bool IsInFirst(string name) => name.Contains("layers.0", StringComparison.Ordinal);

    private static TestFolder Sharded(Func<string, string> shardOf)
    {
        TestFolder copy = TestFolder.CopyOf("qwen3/ref");
        copy.WriteConfig();
        copy.WriteTensors(First, IsInFirst);
        copy.WriteTensors(Second, name => !IsInFirst(name));
        copy.WriteIndex($"{{\"weight_map\": {{{string.Join(", ", copy.Tensors.Keys.Select(name => $"\"{name}\": \"{shardOf(name)}\""))}}}}}");
        return copy;
    }

    [Test]
    public void Shards_hold_the_same_weights_as_one_file()
    {
        using TestFolder copy = Sharded(name => IsInFirst(name) ? First : Second);
        using Checkpoint sharded = Checkpoint.Open(copy.Folder);
        using Checkpoint whole = Checkpoint.Open(GoldenModels.PathOf("qwen3/ref"));
        Assert.That(sharded.Weights.All().Select(t => t.ContentHash), Is.EqualTo(whole.Weights.All().Select(t => t.ContentHash)));
    }

    [Test]
    public void Tensor_that_its_shard_lacks_is_named()
    {
        using TestFolder copy = Sharded(_ => Second);
        CheckpointException refusal = copy.RefusedAsWritten();
        Assert.That((Path.GetFileName(refusal.File), refusal.Field), Is.EqualTo((Second, "model.layers.0.input_layernorm.weight")));
    }

    [Test]
    public void Shard_that_is_missing_is_named()
    {
        using TestFolder copy = Sharded(name => IsInFirst(name) ? First : "model-00003-of-00002.safetensors");
        Assert.That(copy.RefusedAsWritten().Message, Does.Contain("model.safetensors.index.json").And.Contain("model-00003-of-00002.safetensors"));
    }

    [TestCase("../model.safetensors")]
    [TestCase("/etc/model.safetensors")]
    [TestCase("sub/model.safetensors")]
    [TestCase("..\\\\model.safetensors")]
    [TestCase("C:model.safetensors")]
    [TestCase("..safetensors")]
    [TestCase(".safetensors")]
    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("config.json")]
    [TestCase("pytorch_model.bin")]
    [TestCase("model\\u0000.safetensors")]
    [TestCase("model\\n.safetensors")]
    [TestCase("\\ud800.safetensors")]
    public void Shard_names_are_plain_file_names(string shard)
    {
        byte[] index = Encoding.UTF8.GetBytes($"{{\"weight_map\": {{\"a\": \"{shard}\"}}}}");
        Assert.That(() => ShardIndex.Parse(index, "index.json"), Throws.TypeOf<CheckpointException>());
    }

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("{\"weight_map\": []}")]
    [TestCase("{\"weight_map\": {\"a\": 1}}")]
    [TestCase("{\"weight_map\": {\"a\": null}}")]
    [TestCase("{\"weight_map\": {\"a\": \"m.safetensors\", \"a\": \"m.safetensors\"}}")]
    [TestCase("{\"weight_map\": {\"\\ud800\": \"m.safetensors\"}}")]
    public void Index_that_is_none_is_refused(string index) =>
        Assert.That(() => ShardIndex.Parse(Encoding.UTF8.GetBytes(index), "index.json"), Throws.TypeOf<CheckpointException>());

    [Test]
    public void Five_thousand_damaged_indexes_give_typed_errors_or_plain_names()
    {
        byte[] seed = Encoding.UTF8.GetBytes($"{{\"metadata\": {{}}, \"weight_map\": {{\"a\": \"{First}\", \"b\": \"{Second}\"}}}}");
        var random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 5000; i++)
        {
            try
            {
                foreach (string shard in ShardIndex.Parse(Mutation.Of(seed, random), "index.json").Values)
                    Assert.That(Path.GetFileName(shard), Is.EqualTo(shard).And.EndsWith(".safetensors"));
            }
            catch (CheckpointException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.GreaterThan(1000));
    }

    [Test]
    public void Pickled_weights_are_refused_with_the_way_out()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen3/ref");
        copy.WriteConfig();
        File.WriteAllBytes(Path.Combine(copy.Folder, "pytorch_model-00001-of-00002.bin"), [1]);
        Assert.That(copy.RefusedAsWritten().Found, Does.Contain("pytorch_model-00001-of-00002.bin").And.Contain("convert"));
    }

    [Test]
    public void Folder_without_weights_is_refused()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen3/ref");
        copy.WriteConfig();
        Assert.That(copy.RefusedAsWritten().Expected, Does.Contain("model.safetensors"));
    }

    [Test]
    public void Folder_without_config_is_refused()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen3/ref");
        copy.WriteTensors("model.safetensors");
        Assert.That(copy.RefusedAsWritten().Field, Is.EqualTo("config.json"));
    }

    [Test]
    public void Adapter_is_refused_by_name()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen3/ref");
        File.WriteAllText(Path.Combine(copy.Folder, "adapter_config.json"), "{}");
        Assert.That(copy.RefusedAsWritten().Found, Does.Contain("LoRA"));
    }

    [Test]
    public void Missing_folder_is_refused() =>
        Assert.That(() => Checkpoint.Open(Path.Combine(GoldenModels.Root, "no-such-model")), Throws.TypeOf<CheckpointException>());

    [Test]
    public void Linked_files_are_followed()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen3/ref");
        foreach (string name in new[] { "config.json", "model.safetensors" })
            File.CreateSymbolicLink(Path.Combine(copy.Folder, name), Path.Combine(GoldenModels.PathOf("qwen3/ref"), name));
        using Checkpoint checkpoint = Checkpoint.Open(copy.Folder);
        Assert.That(checkpoint.UnusedTensors, Is.Empty);
    }
}
