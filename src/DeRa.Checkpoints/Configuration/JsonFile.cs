using System.Text.Json;
using System.Text.Unicode;

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

    /// <summary>Parses bytes whose root is an object and reads a value from it.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> json, string file, Func<JsonElement, T> read)
    {
        if (!Utf8.IsValid(json.Span)) throw new CheckpointException(file, "file", "UTF-8", "invalid bytes");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 64 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new CheckpointException(file, "file", "a JSON object", document.RootElement.ValueKind.ToString());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escape that is half of a surrogate pair, met when a string is read.
            throw new CheckpointException(file, "file", "strict JSON", e.Message, e);
        }
    }
}
