using System.Text.Json;

namespace DeRa.Tokenization.Tests;

/// <summary>Every encoding and decoding that huggingface/tokenizers was recorded to make, compared exactly.</summary>
[TestFixture]
internal sealed class GoldenTokenizerTests
{
    private static readonly string[] Owned = ["small_llama3", "small_qwen2", "small_zephyr"];
    private static readonly string[] Foreign = ["gpt2_real", "llama2_real"];

    [TestCaseSource(nameof(Owned))]
    public void Encodings_of_fixtures_are_exact(string name) => CheckEncodings(Tokenizer.Load(Folder(name)), Folder(name));

    [TestCaseSource(nameof(Foreign))]
    public void Encodings_of_real_tokenizers_are_exact(string name) => CheckEncodings(Tokenizer.Load(Folder(name)), Folder(name));

    [TestCaseSource(nameof(Owned))]
    public void Decodings_of_fixtures_are_exact(string name) => CheckDecodings(Folder(name));

    [TestCaseSource(nameof(Foreign))]
    public void Decodings_of_real_tokenizers_are_exact(string name) => CheckDecodings(Folder(name));

    [Test]
    public void Vocabulary_and_merges_files_encode_as_the_json_form()
    {
        using TemporaryFolder folder = new();
        foreach (string file in new[] { "vocab.json", "merges.txt", "tokenizer_config.json" })
            folder.Copy(Path.Combine(Folder("small_qwen2"), file));
        Tokenizer tokenizer = Tokenizer.Load(folder.FullName);
        CheckEncodings(tokenizer, Folder("small_qwen2"));
        Assert.That(Sorted(tokenizer), Is.EqualTo(Sorted(Tokenizer.Load(Folder("small_qwen2")))));

        static string[] Sorted(Tokenizer tokenizer) => [.. tokenizer.Vocabulary.Select(entry => $"{entry.Value} {entry.Key}").Order(StringComparer.Ordinal)];
    }

    [Test]
    public void Sentencepiece_model_encodes_as_sentencepiece_does([Values] bool withConfig)
    {
        string source = Folder("llama2_real");
        using TemporaryFolder folder = new();
        folder.Copy(Path.Combine(source, "tokenizer.model"));
        if (withConfig)
            folder.Copy(Path.Combine(source, "tokenizer_config.json"));
        Tokenizer tokenizer = Tokenizer.Load(folder.FullName);
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "golden_sentencepiece.json")));
        using IDisposable scope = Assert.EnterMultipleScope();
        foreach (JsonElement item in golden.RootElement.GetProperty("encodings").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            int[] ids = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.That(ids, Is.EqualTo(Ids(item, "ids")), Show(text));
            Assert.That(ids.Select(tokenizer.IdToToken), Is.EqualTo(Strings(item, "pieces")), Show(text));
            Assert.That(tokenizer.Decode(ids), Is.EqualTo(Text(item, "decoded")), Show(text));
            Assert.That(tokenizer.Encode(text), Is.EqualTo(Ids(item, "ids").Prepend(tokenizer.TokenToId("<s>")!.Value)), Show(text));
        }
    }

    private static string Folder(string name) =>
        Array.IndexOf(Owned, name) >= 0 ? Shared.Fixture($"tokenizers/{name}") : Shared.Golden($"tokenizers/{name}");

    private static void CheckEncodings(Tokenizer tokenizer, string folder)
    {
        using JsonDocument golden = ReadGolden(folder);
        using IDisposable scope = Assert.EnterMultipleScope();
        foreach (JsonElement item in golden.RootElement.GetProperty("encodings").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            int[] ids = tokenizer.Encode(text);
            int[] idsNoSpecial = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.That(ids, Is.EqualTo(Ids(item, "ids")), $"ids of {Show(text)}");
            Assert.That(idsNoSpecial, Is.EqualTo(Ids(item, "ids_no_special")), $"ids without special tokens of {Show(text)}");
            Assert.That(idsNoSpecial.Select(tokenizer.IdToToken), Is.EqualTo(Strings(item, "tokens")), $"tokens of {Show(text)}");
            Assert.That(tokenizer.Decode(ids), Is.EqualTo(Text(item, "decoded")), $"decoded {Show(text)}");
            Assert.That(tokenizer.Decode(ids, skipSpecialTokens: true), Is.EqualTo(Text(item, "decoded_skip_special")), $"decoded {Show(text)}");
            Assert.That(tokenizer.Decode(idsNoSpecial), Is.EqualTo(Text(item, "decoded_no_special")), $"decoded {Show(text)}");
        }
    }

    private static void CheckDecodings(string folder)
    {
        Tokenizer tokenizer = Tokenizer.Load(folder);
        using JsonDocument golden = ReadGolden(folder);
        using IDisposable scope = Assert.EnterMultipleScope();
        foreach (JsonElement item in golden.RootElement.GetProperty("decodings").EnumerateArray())
        {
            int[] ids = Ids(item, "ids");
            string label = $"[{string.Join(", ", ids)}]";
            Assert.That(tokenizer.Decode(ids), Is.EqualTo(Text(item, "decoded")), label);
            Assert.That(tokenizer.Decode(ids, skipSpecialTokens: true), Is.EqualTo(Text(item, "decoded_skip_special")), label);
            string[] prefixes = Strings(item, "prefix_decoded_skip_special");
            for (int length = 1; length <= prefixes.Length; length++)
                Assert.That(tokenizer.Decode(ids.AsSpan(0, length), skipSpecialTokens: true), Is.EqualTo(prefixes[length - 1]), $"first {length} of {label}");
            CheckStream(tokenizer, ids, item, label);
        }
    }

    /// <summary>What streams out is, joined, the full decode; the recorded deltas agree with that wherever their flush is not null.</summary>
    private static void CheckStream(Tokenizer tokenizer, int[] ids, JsonElement item, string label)
    {
        StreamingDecoder decoder = tokenizer.CreateStreamingDecoder();
        List<string> deltas = [.. ids.Select(decoder.Append), decoder.Flush()];
        Assert.That(string.Concat(deltas), Is.EqualTo(Text(item, "decoded_skip_special")), label);
        Assert.That(deltas.All(IsWellFormed), Is.True, $"half a character among the deltas of {label}");
        if (item.GetProperty("stream_flush").GetString() is { } flush)
            Assert.That(string.Concat(deltas), Is.EqualTo(string.Concat(Strings(item, "stream_deltas")) + flush), label);
    }

    private static bool IsWellFormed(string text)
    {
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == 0xFFFD && !text.Contains('\uFFFD', StringComparison.Ordinal))
                return false;
        }
        return true;
    }

    private static JsonDocument ReadGolden(string folder) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden_tokenizer.json")));

    private static int[] Ids(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    private static string[] Strings(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString()!;

    private static string Show(string text) => JsonSerializer.Serialize(text.Length <= 80 ? text : text[..80]);
}
