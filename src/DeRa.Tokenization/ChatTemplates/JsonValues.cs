using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Turns JSON into template values as Python's <c>json.loads</c> does.</summary>
internal static class JsonValues
{
    /// <summary>Longest integer; Python's conversion refuses more than 4300 digits, and the templates' arithmetic is narrower still.</summary>
    private const int MaxIntegerDigits = 1200;

    public static Value Convert(JsonNode? node, string variable)
    {
        if (node is null)
            return NoneValue.Instance;
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            node.WriteTo(writer);
        using var document = JsonDocument.Parse(buffer.ToArray(), new JsonDocumentOptions { MaxDepth = 1024 });
        return Convert(document.RootElement, variable);
    }

    /// <exception cref="ChatTemplateException">A string is not valid Unicode, or the nesting exceeds the stack.</exception>
    public static Value Convert(JsonElement element, string variable)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new ChatTemplateException($"chat template variable '{variable}': JSON nested too deeply");
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var items = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
                foreach (JsonProperty property in element.EnumerateObject())
                    items[new StringValue(Text(() => property.Name, variable))] = Convert(property.Value, variable);
                return new DictValue(items);
            case JsonValueKind.Array:
                return new ListValue([.. element.EnumerateArray().Select(item => Convert(item, variable))]);
            case JsonValueKind.String:
                return new StringValue(Text(() => element.GetString()!, variable));
            case JsonValueKind.Number:
                return Number(element.GetRawText(), variable);
            case JsonValueKind.True:
                return BoolValue.True;
            case JsonValueKind.False:
                return BoolValue.False;
            default:
                return NoneValue.Instance;
        }
    }

    private static Value Number(string text, string variable)
    {
        if (text.AsSpan().ContainsAny('.', 'e', 'E'))
            return new FloatValue(double.Parse(text, CultureInfo.InvariantCulture));
        if (text.Length > MaxIntegerDigits)
            throw new ChatTemplateException($"chat template variable '{variable}': an integer of {text.Length} digits exceeds the limit of {MaxIntegerDigits}");
        return new IntValue(BigInteger.Parse(text, CultureInfo.InvariantCulture));
    }

    private static string Text(Func<string> read, string variable)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new ChatTemplateException($"chat template variable '{variable}': a JSON string is not valid Unicode", e);
        }
    }
}
