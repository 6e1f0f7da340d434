using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Tokenization.Tests;

/// <summary>Configuration, special cases and scale.</summary>
[TestFixture]
internal sealed class TokenizerBehaviourTests
{
    [TestCase("e2e_qwen2")]
    [TestCase("e2e_zephyr")]
    public void End_to_end_texts_are_exact(string name)
    {
        string folder = Shared.Golden($"e2e/{name}");
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(folder, "ref"));
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden_e2e.json")));
        using IDisposable scope = Assert.EnterMultipleScope();
        foreach (JsonElement item in golden.RootElement.GetProperty("items").EnumerateArray())
        {
            bool isChat = item.GetProperty("kind").GetString() == "chat";
            int[] ids = tokenizer.Encode(item.GetProperty("text").GetString()!, addSpecialTokens: !isChat);
            Assert.That(ids, Is.EqualTo(Ids(item.GetProperty("input_ids"))));
            foreach (JsonElement generation in item.GetProperty("generations").EnumerateArray())
            {
                int[] greedy = Ids(generation.GetProperty("greedy"));
                Assert.That(tokenizer.Decode(greedy, skipSpecialTokens: true), Is.EqualTo(generation.GetProperty("text").GetString()));
                int length = 0;
                foreach (JsonElement prefix in generation.GetProperty("prefix_texts").EnumerateArray())
                    Assert.That(tokenizer.Decode(greedy.AsSpan(0, ++length), skipSpecialTokens: true), Is.EqualTo(prefix.GetString()));
            }
        }
    }

    [Test]
    public void Configuration_is_read_in_all_its_forms()
    {
        using TemporaryFolder folder = new();
        folder.Copy(Path.Combine(Shared.Fixture("tokenizers/small_zephyr"), "tokenizer.json"));
        folder.Write("special_tokens_map.json", """{"pad_token":"<unk>","bos_token":"overridden"}""");
        folder.Write("tokenizer_config.json", """
            {"bos_token":{"content":"<s>","lstrip":false},"eos_token":"</s>","additional_special_tokens":["<unk>",{"content":"</s>"}],
            "chat_template":[{"name":"default","template":"A"},{"name":"tool_use","template":"B"}]}
            """);
        Tokenizer tokenizer = Tokenizer.Load(folder.FullName);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((tokenizer.BosToken, tokenizer.BosId, tokenizer.EosId, tokenizer.PadId, tokenizer.UnkId), Is.EqualTo(("<s>", 1, 2, 0, (int?)null)));
            Assert.That(tokenizer.ChatTemplate, Is.EqualTo("A"));
            Assert.That(tokenizer.ChatTemplates["tool_use"], Is.EqualTo("B"));
            Assert.That(tokenizer.AdditionalSpecialTokens, Is.EqualTo(new[] { "<unk>", "</s>" }));
            Assert.That(tokenizer.SpecialTokenVariables["pad_token"], Is.EqualTo("<unk>"));
            Assert.That(tokenizer.IsSpecial(1), Is.True);
            Assert.That(tokenizer.IsSpecial(500), Is.False);
        }
        folder.Write("chat_template.jinja", "C");
        Assert.That(Tokenizer.Load(folder.FullName).ChatTemplate, Is.EqualTo("C"));
    }

    [Test]
    public void Lone_surrogates_are_replacement_characters()
    {
        Tokenizer tokenizer = Tokenizer.Load(Shared.Fixture("tokenizers/small_llama3"));
        Assert.That(tokenizer.Encode("a\uD800b\uDC00"), Is.EqualTo(tokenizer.Encode("a\uFFFDb\uFFFD")));
    }

    [TestCase("small_llama3")]
    [TestCase("small_zephyr")]
    public void Long_texts_without_spaces_come_back(string name)
    {
        // Linear or so, this is a second's work; a quadratic step would take the better part of an hour.
        Tokenizer tokenizer = Tokenizer.Load(Shared.Fixture($"tokenizers/{name}"));
        string text = string.Concat(Enumerable.Repeat("theinformation", 70_000));
        Assert.That(tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false)), Is.EqualTo(text));
    }

    [Test]
    public void Long_runs_of_spaces_do_not_multiply()
    {
        Tokenizer tokenizer = Tokenizer.Load(Shared.Fixture("tokenizers/small_llama3"));
        string text = new string(' ', 300_000) + "x" + new string('\n', 300_000);
        Assert.That(tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false)), Is.EqualTo(text));
    }

    [Test]
    public void Streaming_equals_decoding_for_any_ids([Values("small_llama3", "small_qwen2", "small_zephyr")] string name, [Values] bool skip)
    {
        Tokenizer tokenizer = Tokenizer.Load(Shared.Fixture($"tokenizers/{name}"));
        Random random = new(11);
        for (int round = 0; round < 300; round++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(-1, tokenizer.VocabularySize + 5))];
            StreamingDecoder decoder = tokenizer.CreateStreamingDecoder(skip);
            string streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
            Assert.That(streamed, Is.EqualTo(tokenizer.Decode(ids, skip)), string.Join(",", ids));
        }
    }

    [TestCase("model.type", "\"Unigram\"")]
    [TestCase("model.type", "\"WordPiece\"")]
    [TestCase("model.dropout", "0.1")]
    [TestCase("normalizer.type", "\"Precompiled\"")]
    [TestCase("decoder.type", "\"CTC\"")]
    [TestCase("post_processor.type", "\"Mystery\"")]
    [TestCase("added_tokens", "7")]
    public void Unsupported_parts_are_refused_by_name(string field, string value)
    {
        using TemporaryFolder folder = new();
        JsonNode root = JsonNode.Parse(File.ReadAllText(Path.Combine(Shared.Fixture("tokenizers/small_zephyr"), "tokenizer.json")))!;
        string[] path = field.Split('.');
        JsonNode owner = path.Length == 1 ? root : root[path[0]]!;
        owner[path[^1]] = JsonNode.Parse(value);
        folder.Write("tokenizer.json", root.ToJsonString());
        Assert.That(
            () => Tokenizer.Load(folder.FullName),
            Throws.TypeOf<TokenizerException>().With.Message.Contains("tokenizer.json").And.Message.Contains(field).And.Message.Contains(value));
    }

    [Test]
    public void An_empty_folder_is_refused_by_name()
    {
        using TemporaryFolder folder = new();
        Assert.That(() => Tokenizer.Load(folder.FullName), Throws.TypeOf<TokenizerException>().With.Message.Contains(folder.FullName));
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
