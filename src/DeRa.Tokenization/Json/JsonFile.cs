using System.Text.Json;

namespace DeRa.Tokenization;

/// <summary>Reads a JSON file whole, within a size limit, and closes it: the document does not outlive <see cref="Read{T}"/>.</summary>
internal static class JsonFile
{
    /// <summary>The largest published tokenizer.json is about 35 MB (a 256k vocabulary with merges as pairs); four times that is plenty.</summary>
    public const long LargestTokenizer = 128L << 20;

    /// <summary>tokenizer_config.json and its kin hold a chat template and up to some thousand added tokens: a few MB at most.</summary>
    public const long LargestConfig = 32L << 20;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    public static T Read<T>(string path, long largest, Func<JsonField, T> interpret)
    {
        byte[] bytes = ReadBytes(path, largest);
        ReadOnlyMemory<byte> json = bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Options);
            return interpret(new JsonField(path, "", document.RootElement));
        }
        catch (JsonException fault)
        {
            throw new TokenizerException($"{path}: (root): expected valid JSON, found {fault.Message}", fault);
        }
    }

    public static byte[] ReadBytes(string path, long largest)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > largest)
                throw new TokenizerException(path, "(size)", $"at most {largest} bytes", $"{length} bytes");
            return File.ReadAllBytes(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{path}: cannot be read: {fault.Message}", fault);
        }
    }
}
