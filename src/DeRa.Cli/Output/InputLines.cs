using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Tokenization;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Cli.Output;

/// <summary>Reads JSON, one value a line, and says which line is wrong. Blank lines are passed over.</summary>
internal static class InputLines
{
    /// <summary>Stands for standard input in place of a file.</summary>
    public const string StandardInput = "-";

    // Editors on Windows put one in front; standard input keeps it where a file's reader takes it off.
    private const char ByteOrderMark = '\uFEFF';

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>What the lines come from, for messages.</summary>
    public static string Name(string source) => source == StandardInput ? "standard input" : source;

    /// <param name="source">What the lines come from.</param>
    /// <param name="reader">The lines.</param>
    /// <param name="read">Makes a value of one line; throws <see cref="InputException"/> with what is wrong, without the place.</param>
    public static IEnumerable<T> Read<T>(string source, TextReader reader, Func<JsonElement, T> read) =>
        Read(source, reader, (line, _) => read(line));

    /// <summary>As the other, for values that keep their place ("prompts.jsonl, line 3") for what is found wrong with them later.</summary>
    public static IEnumerable<T> Read<T>(string source, TextReader reader, Func<JsonElement, string, T> read)
    {
        int number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            T value;
            string place = $"{Name(source)}, line {number}";
            try
            {
                using JsonDocument document = JsonDocument.Parse(number == 1 ? line.TrimStart(ByteOrderMark) : line, Strict);
                RequireCharacters(document.RootElement);
                value = read(document.RootElement, place);
            }
            catch (JsonException exception)
            {
                throw new InputException($"{place}: expected JSON, found something else: {exception.Message}");
            }
            catch (Exception exception) when (exception is InputException or ChatTemplateException or TokenizerException)
            {
                throw new InputException($"{place}: {exception.Message}");
            }

            yield return value;
        }
    }

    /// <summary>A file, or standard input for <c>-</c>.</summary>
    public static TextReader Open(string path) => path == StandardInput
        ? Console.In
        : File.Exists(path) ? new Utf8LineReader(File.OpenRead(path), path) : throw new InputException($"{path}: expected a file, found {(Directory.Exists(path) ? "a folder" : "nothing")}");

    public static string Text(JsonElement element, string field) => element.ValueKind == JsonValueKind.String
        ? element.GetString()!
        : throw new InputException($"{field}: expected a string, found {Kind(element)}");

    public static int[] Tokens(JsonElement element, string field)
    {
        if (element.ValueKind != JsonValueKind.Array)
        {
            throw new InputException($"{field}: expected an array of token ids, found {Kind(element)}");
        }

        return
        [
            .. element.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) && id >= 0
                ? id
                : throw new InputException($"{field}: expected token ids, integers of at least 0, found {item.GetRawText()}")),
        ];
    }

    public static bool Flag(JsonElement element, string field) => element.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? element.GetBoolean()
        : throw new InputException($"{field}: expected true or false, found {Kind(element)}");

    public static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    /// <summary>JSON can spell half of a surrogate pair (\uD800), which is no character and no string of .NET's.</summary>
    private static void RequireCharacters(JsonElement element)
    {
        try
        {
            ReadStrings(element);
        }
        catch (InvalidOperationException)
        {
            throw new InputException("expected text, found half of a surrogate pair (an escape \\ud800 to \\udfff by itself)");
        }
    }

    private static void ReadStrings(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    ReadStrings(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    ReadStrings(item);
                }

                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }
}
