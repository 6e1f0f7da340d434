using System.Globalization;
using System.Text.Json;

namespace DeRa.Checkpoints.Configuration;

/// <summary>
/// Typed access to the fields of one JSON object; every error names the file and the field. "Absent" is a key that is not
/// there: Hugging Face's config classes then use the family's default, while an explicit null overrides it with none.
/// </summary>
internal readonly struct ConfigFields(JsonElement element, string file, string path = "")
{
    /// <summary>File name for messages.</summary>
    public string File => file;

    /// <summary>Keys of the object.</summary>
    public IEnumerable<string> Names => element.EnumerateObject().Select(static property => property.Name);

    /// <summary>Whether the key is there, null or not.</summary>
    public bool Has(string key) => element.TryGetProperty(key, out _);

    /// <summary>Whether the key is there with a value other than null.</summary>
    public bool HasValue(string key) => TryGet(key, out _);

    /// <summary>An error about a field of this object.</summary>
    public CheckpointException Error(string key, string expected, string found) => new(file, path + key, expected, found);

    /// <summary>A positive integer; <paramref name="absent"/> is used when the key is not there.</summary>
    public int Positive(string key, int absent, int max = int.MaxValue) =>
        PositiveOrNull(key, absent, max) ?? throw Error(key, "a positive integer", "null");

    /// <summary>A positive integer or null.</summary>
    public int? PositiveOrNull(string key, int? absent, int max = int.MaxValue)
    {
        if (!Has(key)) return absent;
        if (!TryGet(key, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number > 0 && number <= max
            ? number
            : throw Error(key, $"an integer from 1 to {max}", Describe(value));
    }

    /// <summary>A token id or null; negative ids, which some configs use for "none", become null.</summary>
    public int? TokenId(string key, int? absent)
    {
        if (!Has(key)) return absent;
        if (!TryGet(key, out JsonElement value)) return null;
        return AsTokenId(value, key) is int id and >= 0 ? id : null;
    }

    /// <summary>A token id or a list of them; null where the key is absent or null.</summary>
    public IReadOnlyList<int>? TokenIds(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Array)
            return AsTokenId(value, key) is int single and >= 0 ? new ValueList<int>([single]) : new ValueList<int>([]);
        var ids = new List<int>();
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (AsTokenId(item, key) is int id and >= 0 && !ids.Contains(id)) ids.Add(id);
        }

        return new ValueList<int>(ids);
    }

    /// <summary>A finite number; <paramref name="absent"/> is used when the key is not there.</summary>
    public double Number(string key, double absent) => Has(key) ? RequiredNumber(key) : absent;

    /// <summary>A finite number that must be there.</summary>
    public double RequiredNumber(string key) => NumberOrNull(key) ?? throw Error(key, "a number", Has(key) ? "null" : "none");

    /// <summary>A finite number, or null where the key is absent or null.</summary>
    public double? NumberOrNull(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && float.IsFinite((float)number)
            ? number
            : throw Error(key, "a finite number", Describe(value));
    }

    /// <summary>A list of finite numbers, or null where the key is absent or null.</summary>
    public IReadOnlyList<double>? NumbersOrNull(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Error(key, "a list of numbers", Describe(value));
        var numbers = new List<double>();
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetDouble(out double number) || !double.IsFinite(number))
                throw Error(key, "a list of finite numbers", Describe(item));
            numbers.Add(number);
        }

        return new ValueList<double>(numbers);
    }

    /// <summary>A boolean; <paramref name="absent"/> is used when the key is not there or null.</summary>
    public bool Flag(string key, bool absent) => FlagOrNull(key) ?? absent;

    /// <summary>A boolean, or null where the key is absent or null.</summary>
    public bool? FlagOrNull(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Error(key, "true or false", Describe(value)),
        };
    }

    /// <summary>A string, or null where the key is absent or null.</summary>
    public string? TextOrNull(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : throw Error(key, "a string", Describe(value));
    }

    /// <summary>A list of strings, or null where the key is absent or null.</summary>
    public IReadOnlyList<string>? TextsOrNull(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Error(key, "a list of strings", Describe(value));
        var texts = new List<string>();
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String) throw Error(key, "a list of strings", Describe(item));
            texts.Add(item.GetString()!);
        }

        return texts;
    }

    /// <summary>An object, or null where the key is absent or null.</summary>
    public ConfigFields? ObjectOrNull(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ConfigFields(value, file, $"{path}{key}.")
            : throw Error(key, "an object", Describe(value));
    }

    /// <summary>Whether the value under the key is an object.</summary>
    public bool IsObject(string key) => TryGet(key, out JsonElement value) && value.ValueKind == JsonValueKind.Object;

    /// <summary>The raw text of the object, for comparing two of them.</summary>
    public bool SameAs(ConfigFields other) => JsonElement.DeepEquals(element, other.Element);

    private JsonElement Element => element;

    private int AsTokenId(JsonElement value, string key) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id)
            ? id
            : throw Error(key, "a token id or a list of token ids", Describe(value));

    private bool TryGet(string key, out JsonElement value) =>
        element.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        JsonValueKind.Array => string.Create(CultureInfo.InvariantCulture, $"a list of {value.GetArrayLength()}"),
        JsonValueKind kind => kind.ToString(),
    };
}
