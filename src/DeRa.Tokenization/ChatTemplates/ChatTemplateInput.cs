using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>
/// What a template is rendered with. As in Hugging Face's <c>apply_chat_template</c>, <c>tools</c> and <c>documents</c> are None unless given;
/// any other variable that is not given is undefined.
/// </summary>
public sealed class ChatTemplateInput
{
    private readonly Dictionary<string, Value> _variables = new(StringComparer.Ordinal)
    {
        ["tools"] = NoneValue.Instance,
        ["documents"] = NoneValue.Instance,
    };

    /// <summary>Creates an input whose messages are a JSON array of objects.</summary>
    public ChatTemplateInput(JsonElement messages) => _variables["messages"] = JsonValues.Convert(messages, "messages");

    /// <summary>Creates an input whose messages are a JSON array of objects.</summary>
    public ChatTemplateInput(JsonNode messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        _variables["messages"] = JsonValues.Convert(messages, "messages");
    }

    /// <summary>Creates an input from plain messages.</summary>
    public ChatTemplateInput(IEnumerable<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        _variables["messages"] = new ListValue([.. messages.Select(message => new DictValue(new OrderedDictionary<Value, Value>(ValueComparer.Instance)
        {
            [new StringValue("role")] = new StringValue(message.Role),
            [new StringValue("content")] = new StringValue(message.Content),
        }))]);
    }

    /// <summary>Whether the prompt ends by opening the assistant's turn; the variable <c>add_generation_prompt</c>.</summary>
    public bool AddGenerationPrompt { get; set; }

    /// <summary>The clock that <c>strftime_now</c> reads, in its local time zone.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>Sets a variable to a JSON value; integers stay integers and objects keep the order of their keys.</summary>
    /// <returns>This input.</returns>
    /// <exception cref="ChatTemplateException">The value holds text that is not valid Unicode.</exception>
    public ChatTemplateInput Set(string name, JsonElement value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _variables[name] = JsonValues.Convert(value, name);
        return this;
    }

    /// <summary>Sets a variable to a JSON value; null becomes None.</summary>
    /// <returns>This input.</returns>
    /// <exception cref="ChatTemplateException">The value holds text that is not valid Unicode.</exception>
    public ChatTemplateInput Set(string name, JsonNode? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _variables[name] = JsonValues.Convert(value, name);
        return this;
    }

    /// <summary>Sets a variable to a string, such as <c>bos_token</c>; null becomes None.</summary>
    /// <returns>This input.</returns>
    public ChatTemplateInput Set(string name, string? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _variables[name] = value is null ? NoneValue.Instance : new StringValue(value);
        return this;
    }

    /// <summary>Sets a variable to a truth value, such as <c>enable_thinking</c>.</summary>
    /// <returns>This input.</returns>
    public ChatTemplateInput Set(string name, bool value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _variables[name] = BoolValue.Of(value);
        return this;
    }

    internal IEnumerable<KeyValuePair<string, Value>> ToValues() =>
        _variables.ContainsKey("add_generation_prompt")
            ? _variables
            : _variables.Append(KeyValuePair.Create<string, Value>("add_generation_prompt", BoolValue.Of(AddGenerationPrompt)));
}
