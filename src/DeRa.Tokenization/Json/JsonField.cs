using System.Text.Json;

namespace DeRa.Tokenization;

/// <summary>A JSON value that remembers the file and path it came from, so that every type error can name both.</summary>
internal readonly record struct JsonField(string File, string Path, JsonElement Element)
{
    public bool IsNull => Element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public bool IsObject => Element.ValueKind == JsonValueKind.Object;

    public bool IsArray => Element.ValueKind == JsonValueKind.Array;

    public bool IsString => Element.ValueKind == JsonValueKind.String;

    /// <summary>The named member; absent and null members both come back with <see cref="IsNull"/> true.</summary>
    public JsonField this[string name]
    {
        get
        {
            Require(JsonValueKind.Object, "an object");
            string path = Path.Length == 0 ? name : $"{Path}.{name}";
            return new JsonField(File, path, Element.TryGetProperty(name, out JsonElement value) ? value : default);
        }
    }

    public IEnumerable<JsonField> Items()
    {
        Require(JsonValueKind.Array, "an array");
        return Enumerate(this);

        static IEnumerable<JsonField> Enumerate(JsonField array)
        {
            int index = 0;
            foreach (JsonElement item in array.Element.EnumerateArray())
                yield return new JsonField(array.File, $"{array.Path}[{index++}]", item);
        }
    }

    public IEnumerable<(string Name, JsonField Value)> Members()
    {
        Require(JsonValueKind.Object, "an object");
        return Enumerate(this);

        static IEnumerable<(string, JsonField)> Enumerate(JsonField owner)
        {
            foreach (JsonProperty property in owner.Element.EnumerateObject())
            {
                string name = owner.NameOf(property);
                yield return (name, new JsonField(owner.File, $"{owner.Path}.{name}", property.Value));
            }
        }
    }

    public string AsString()
    {
        Require(JsonValueKind.String, "a string");
        try
        {
            return Element.GetString()!;
        }
        catch (InvalidOperationException fault)
        {
            throw new TokenizerException($"{File}: {Path}: expected well-formed Unicode text, found a string that is not", fault);
        }
    }

    /// <summary>The name of a property of this object; a name that is not well-formed Unicode is an error here.</summary>
    public string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException fault)
        {
            throw new TokenizerException($"{File}: {Path}: expected well-formed Unicode names, found one that is not", fault);
        }
    }

    public string? AsOptionalString() => IsNull ? null : AsString();

    public bool AsBoolean(bool whenAbsent)
    {
        if (IsNull)
            return whenAbsent;
        return Element.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Unexpected("true or false"),
        };
    }

    /// <summary>A token id or a count: an integer from 0 to 2³¹ − 1.</summary>
    public int AsCount()
    {
        if (Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out int value) && value >= 0)
            return value;
        throw Unexpected("an integer from 0 to 2147483647");
    }

    /// <summary>A string that holds exactly one code point.</summary>
    public int AsCodePoint()
    {
        string text = AsString();
        if (text.Length > 0 && CodePoints.LengthAt(text, 0) == text.Length)
            return CodePoints.At(text, 0);
        throw Unexpected("a string of one character");
    }

    public TokenizerException Unexpected(string expected) => new(File, Path.Length == 0 ? "(root)" : Path, expected, Describe());

    private void Require(JsonValueKind kind, string expected)
    {
        if (Element.ValueKind != kind)
            throw Unexpected(expected);
    }

    private string Describe()
    {
        const int longest = 60;
        if (Element.ValueKind == JsonValueKind.Undefined)
            return "nothing";
        if (Element.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            return Element.ValueKind == JsonValueKind.Object ? "an object" : "an array";
        string raw = Element.GetRawText();
        return raw.Length <= longest ? raw : string.Concat(raw.AsSpan(0, longest), "…");
    }
}
