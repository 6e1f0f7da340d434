using System.Text.Json;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Tokenization.Tests.ChatTemplates;

/// <summary>Templates of published models, rendered exactly as Hugging Face renders them.</summary>
public class PublishedTemplateTests
{
    [TestCase("chatml")]
    [TestCase("gemma")]
    [TestCase("llama3")]
    [TestCase("mistral_instruct_v0.1")]
    [TestCase("qwen2.5")]
    [TestCase("zephyr")]
    public void RendersEveryConversation(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Shared.Golden("chat_templates"), $"{name}.json")));
        JsonElement golden = document.RootElement;
        var template = ChatTemplate.Parse(golden.GetProperty("chat_template").GetString()!);
        int cases = 0;
        foreach (JsonElement item in golden.GetProperty("cases").EnumerateArray())
        {
            cases++;
            string conversation = item.GetProperty("conversation").GetString()!;
            ChatTemplateInput input = Input(golden, conversation, item.GetProperty("add_generation_prompt").GetBoolean());
            if (item.TryGetProperty("rendered", out JsonElement rendered))
                Assert.That(template.Render(input), Is.EqualTo(rendered.GetString()), conversation);
            else
                AssertFails(template, input, item, conversation);
        }
        Assert.That(cases, Is.GreaterThan(0));
    }

    [TestCase("e2e_qwen2")]
    [TestCase("e2e_zephyr")]
    public void RendersTheTemplatesOfCheckpoints(string name)
    {
        string config = File.ReadAllText(Path.Combine(Shared.Golden("e2e"), name, "ref", "tokenizer_config.json"));
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(Shared.Golden("e2e"), name, "golden_e2e.json")));
        using var tokenizer = JsonDocument.Parse(config);
        var template = ChatTemplate.Parse(tokenizer.RootElement.GetProperty("chat_template").GetString()!);
        int chats = 0;
        foreach (JsonElement item in golden.RootElement.GetProperty("items").EnumerateArray())
        {
            if (item.GetProperty("kind").GetString() != "chat")
                continue;
            chats++;
            var input = new ChatTemplateInput(item.GetProperty("messages")) { AddGenerationPrompt = true };
            foreach (JsonProperty token in tokenizer.RootElement.EnumerateObject())
            {
                if (token.Name.EndsWith("_token", StringComparison.Ordinal) && token.Value.ValueKind is JsonValueKind.String)
                    input.Set(token.Name, token.Value);
            }
            Assert.That(template.Render(input), Is.EqualTo(item.GetProperty("text").GetString()));
        }
        Assert.That(chats, Is.GreaterThan(0));
    }

    private static ChatTemplateInput Input(JsonElement golden, string conversation, bool addGenerationPrompt)
    {
        JsonElement values = golden.GetProperty("conversations").GetProperty(conversation);
        var input = new ChatTemplateInput(values.GetProperty("messages")) { AddGenerationPrompt = addGenerationPrompt };
        foreach (JsonElement source in new[] { golden.GetProperty("special_tokens"), golden.GetProperty("extra_variables"), values })
        {
            foreach (JsonProperty variable in source.EnumerateObject())
                input.Set(variable.Name, variable.Value);
        }
        return input;
    }

    private static void AssertFails(ChatTemplate template, ChatTemplateInput input, JsonElement item, string conversation)
    {
        var error = Assert.Catch<ChatTemplateException>(() => template.Render(input), conversation);
        if (!item.TryGetProperty("raise_exception", out JsonElement raised) || !raised.GetBoolean())
            return;
        Assert.That(error, Is.TypeOf<ChatTemplateRaisedException>(), conversation);
        Assert.That(error!.Message, Is.EqualTo(item.GetProperty("error").GetString()), conversation);
    }
}
