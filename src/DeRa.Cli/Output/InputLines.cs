using System.Text.Json;
using DeRa.Cli.CommandLine;

namespace DeRa.Cli.Output;

/// <summary>Reads JSON, one value a line, and says which line is wrong. Blank lines are passed over.</summary>
internal static class InputLines
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <param name="source">What the lines come from, for messages.</param>
    /// <param name="reader">The lines.</param>
    /// <param name="read">Makes a value of one line; throws <see cref="InputException"/> with what is wrong, without the place.</param>
    public static IEnumerable<T> Read<T>(string source, TextReader reader, Func<JsonElement, T> read)
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
            try
            {
                using JsonDocument document = JsonDocument.Parse(line, Strict);
                value = read(document.RootElement);
            }
            catch (JsonException exception)
            {
                throw new InputException($"{source}, line {number}: expected JSON, found something else: {exception.Message}");
            }
            catch (InputException exception)
            {
                throw new InputException($"{source}, line {number}: {exception.Message}");
            }

            yield return value;
        }
    }

    /// <summary>A file, or standard input for <c>-</c>.</summary>
    public static TextReader Open(string path) => path == "-"
        ? Console.In
        : File.Exists(path) ? new StreamReader(path) : throw new InputException($"{path}: expected a file, found nothing");

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

    public static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };
}
