using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Export;
using DeRa.PairTrainer.Model;

namespace DeRa.PairTrainer.Tests;

public class CheckpointTests
{
    [Test]
    public void Safetensors_file_is_well_formed()
    {
        LlamaParameters<float> parameters = TinyModel.Create<float>(seed: 71);
        using MemoryStream stream = new();
        Safetensors.Write(stream, parameters);
        byte[] file = stream.ToArray();

        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        string text = Encoding.UTF8.GetString(file, 8, headerLength);
        using JsonDocument header = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
        Assert.That(text, Does.StartWith("{"));
        Assert.That(headerLength % 8, Is.Zero, "tensors start on an 8-byte boundary");
        Assert.That(header.RootElement.GetProperty("__metadata__").GetProperty("format").GetString(), Is.EqualTo("pt"));

        long expectedStart = 0;
        foreach (JsonProperty tensor in header.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__"))
        {
            long[] offsets = tensor.Value.GetProperty("data_offsets").Deserialize<long[]>()!;
            long elements = tensor.Value.GetProperty("shape").Deserialize<long[]>()!.Aggregate(1L, (x, y) => x * y);
            Assert.That(offsets[0], Is.EqualTo(expectedStart), $"{tensor.Name} follows without a gap");
            Assert.That(offsets[1] - offsets[0], Is.EqualTo(2 * elements), $"{tensor.Name} holds its shape in BF16");
            expectedStart = offsets[1];
        }

        Assert.That(8 + headerLength + expectedStart, Is.EqualTo(file.Length));
        Assert.That(
            header.RootElement.EnumerateObject().Select(p => p.Name),
            Is.SupersetOf(new[] { "model.embed_tokens.weight", "model.layers.1.self_attn.k_proj.weight", "model.layers.0.mlp.down_proj.weight", "lm_head.weight" }));
    }

    [Test]
    public void Reading_gives_back_the_rounded_weights()
    {
        LlamaParameters<float> written = TinyModel.Create<float>(seed: 72);
        using MemoryStream stream = new();
        Safetensors.Write(stream, written);
        LlamaParameters<float> read = new(TinyModel.Config);
        Safetensors.Read(stream.ToArray(), read);

        for (int p = 0; p < written.All.Count; p++)
        {
            float[] rounded = [.. written.All[p].Value];
            BFloat16.Round(rounded);
            Assert.That(read.All[p].Value, Is.EqualTo(rounded), written.All[p].Name);
        }
    }

    [Test]
    public void Reading_into_other_shapes_names_the_tensor()
    {
        using MemoryStream stream = new();
        Safetensors.Write(stream, TinyModel.Create<float>(seed: 73));
        LlamaParameters<float> wider = new(TinyModel.Config with { IntermediateSize = 22 });

        Assert.That(
            () => Safetensors.Read(stream.ToArray(), wider),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("model.layers.0.mlp.gate_proj.weight"));
    }

    [TestCase(1f, 0x3F80)]
    [TestCase(-2f, 0xC000)]
    [TestCase(1.00390625f, 0x3F80, Description = "a tie goes to the even neighbour below")]
    [TestCase(1.01171875f, 0x3F82, Description = "a tie goes to the even neighbour above")]
    [TestCase(1.0039063692f, 0x3F81, Description = "just above a tie")]
    public void BFloat16_rounds_to_nearest_even(float value, int bits) => Assert.That(BFloat16.FromSingle(value), Is.EqualTo(bits));

    [Test]
    public void Tokenizer_file_lists_every_token_and_merge()
    {
        BpeTokenizer tokenizer = BpeTrainer.Train(["What a lovely day!", "What a lovely fox!"], 300);
        using JsonDocument json = JsonDocument.Parse(TokenizerFiles.Tokenizer(tokenizer).ToJsonString());
        JsonElement model = json.RootElement.GetProperty("model");
        Dictionary<string, int> vocabulary = model.GetProperty("vocab").Deserialize<Dictionary<string, int>>()!;

        Assert.Multiple(() =>
        {
            Assert.That(vocabulary.OrderBy(e => e.Value).Select(e => e.Key), Is.EqualTo(tokenizer.Tokens));
            Assert.That(model.GetProperty("merges").GetArrayLength(), Is.EqualTo(tokenizer.Merges.Count));
            Assert.That(
                json.RootElement.GetProperty("added_tokens").EnumerateArray().Select(t => vocabulary[t.GetProperty("content").GetString()!]),
                Is.EqualTo(new[] { 0, 1, 2, 3 }));
        });
    }
}
