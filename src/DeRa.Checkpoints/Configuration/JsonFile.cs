using System.Text.Json;

namespace DeRa.Checkpoints.Configuration;

/// <summary>Reads small JSON files strictly: no duplicate keys, no comments, bounded size, typed errors.</summary>
internal static class JsonFile
{
    /// <summary>Reads a file of at most <paramref name="maxBytes"/> bytes.</summary>
    public static ReadOnlyMemory<byte> ReadBytes(string path, long maxBytes)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > maxBytes)
                throw new CheckpointException(path, "file", $"at most {maxBytes} bytes", $"{stream.Length} bytes");
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);

            // Editors on Windows put a byte-order mark in front, which JSON itself does not allow.
            return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "file", "a readable file", e.Message, e);
        }
    }

    /// <summary>Parses bytes into a document whose root is an object.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 64 });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(file, "file", "strict JSON", e.Message, e);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        using (document)
            throw new CheckpointException(file, "file", "a JSON object", document.RootElement.ValueKind.ToString());
    }

    /// <summary>The text of a string element.</summary>
    public static string Text(JsonElement element, string file, string field)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException(file, field, "valid Unicode text", "invalid text", e);
        }
    }

    /// <summary>The name of a property.</summary>
    public static string Name(JsonProperty property, string file)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException(file, "key", "valid Unicode text", "invalid text", e);
        }
    }
}
