using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary><c>tokenize</c> and <c>template</c> over standard input and output.</summary>
[NonParallelizable]
public sealed class TokenizeAndTemplateTests
{
    private static readonly string[] Tokenizers = ["small_llama3", "small_qwen2", "small_zephyr"];

    [TestCaseSource(nameof(Tokenizers))]
    public void Tokenizes_and_decodes_line_by_line(string name)
    {
        string folder = Path.Combine(Golden.Root, "tests", "Golden", "tokenizers", name);
        JsonElement[] encodings = [.. Golden.Read(Path.Combine(folder, "golden_tokenizer.json")).GetProperty("encodings").EnumerateArray()];
        string texts = string.Join('\n', encodings.Select(one => one.GetProperty("text").GetRawText()));
        string ids = string.Join('\n', encodings.Select(one => JsonSerializer.Serialize(one.GetProperty("ids").Ints())));
        Compare(["tokenize", "--model", folder], texts, "ids");
        Compare(["tokenize", "--model", folder, "--no-special"], texts, "ids_no_special");
        Compare(["tokenize", "--model", folder, "--decode"], ids, "decoded");
        Compare(["tokenize", "--model", folder, "--decode", "--skip-special"], ids, "decoded_skip_special");

        void Compare(string[] arguments, string input, string field)
        {
            JsonElement[] lines = Dera.Done(arguments, input).Lines;
            Assert.That(lines, Has.Length.EqualTo(encodings.Length));
            foreach ((JsonElement got, JsonElement expected) in lines.Zip(encodings))
            {
                Assert.That(
                    JsonElement.DeepEquals(got, expected.GetProperty(field)), Is.True,
                    $"{field} of {expected.GetProperty("text").GetRawText()}: expected {expected.GetProperty(field).GetRawText()}, got {got.GetRawText()}");
            }
        }
    }

    [Test]
    public void Byte_order_marks_blank_lines_and_carriage_returns_do_not_matter()
    {
        string folder = Path.Combine(Golden.Root, "tests", "Golden", "tokenizers", "small_zephyr");
        string plain = Dera.Done(["tokenize", "--model", folder], "\"a\"\n\"\\ufeffb\"\n").Output;
        Assert.That(Dera.Done(["tokenize", "--model", folder], "\uFEFF\"a\"\r\n\r\n\"\\ufeffb\"").Output, Is.EqualTo(plain));
    }

    [Test]
    public void Renders_published_templates()
    {
        string folder = Golden.Shared("chat_templates");
        foreach (string file in Directory.GetFiles(folder, "*.json").Order())
        {
            JsonElement golden = Golden.Read(file);
            string model = Directory.CreateTempSubdirectory().FullName;
            var config = new Dictionary<string, object> { ["chat_template"] = golden.GetProperty("chat_template") };
            foreach (JsonProperty token in golden.GetProperty("special_tokens").EnumerateObject())
            {
                config[token.Name] = token.Value;
            }

            File.WriteAllText(Path.Combine(model, "tokenizer_config.json"), JsonSerializer.Serialize(config));
            JsonElement[] cases = [.. golden.GetProperty("cases").EnumerateArray()];
            string input = string.Join('\n', cases.Select(one => JsonSerializer.Serialize(new
            {
                messages = Conversation(golden, one),
                add_generation_prompt = one.GetProperty("add_generation_prompt"),
                variables = Variables(golden, one),
            })));
            JsonElement[] lines = Dera.Done(["template", "--model", model], input).Lines;
            foreach ((JsonElement got, JsonElement expected) in lines.Zip(cases))
            {
                if (expected.TryGetProperty("rendered", out JsonElement rendered) && rendered.ValueKind == JsonValueKind.String)
                {
                    Assert.That(got.TryGetProperty("rendered", out JsonElement text) ? text.GetString() : got.GetRawText(), Is.EqualTo(rendered.GetString()), file);
                }
                else
                {
                    Assert.That(got.TryGetProperty("error", out JsonElement error), Is.True, got.GetRawText());
                    if (expected.TryGetProperty("raise_exception", out JsonElement raised) && raised.GetBoolean())
                    {
                        Assert.That(error.GetString(), Does.Contain(expected.GetProperty("error").GetString()!), file);
                    }
                }
            }

            Directory.Delete(model, recursive: true);
        }
    }

    private static JsonElement Conversation(JsonElement golden, JsonElement one)
    {
        JsonElement conversation = Entry(golden, one);
        return conversation.ValueKind == JsonValueKind.Object ? conversation.GetProperty("messages") : conversation;
    }

    private static JsonElement Entry(JsonElement golden, JsonElement one)
    {
        JsonElement conversations = golden.GetProperty("conversations"), key = one.GetProperty("conversation");
        return key.ValueKind == JsonValueKind.Number ? conversations[key.GetInt32()] : conversations.GetProperty(key.GetString()!);
    }

    private static Dictionary<string, JsonElement> Variables(JsonElement golden, JsonElement one)
    {
        var variables = golden.GetProperty("extra_variables").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value);
        JsonElement conversation = Entry(golden, one);
        if (conversation.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty entry in conversation.EnumerateObject().Where(entry => entry.Name != "messages"))
            {
                variables[entry.Name] = entry.Value;
            }
        }

        return variables;
    }
}
