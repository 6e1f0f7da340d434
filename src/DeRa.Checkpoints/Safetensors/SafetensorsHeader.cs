using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace DeRa.Checkpoints.Safetensors;

/// <summary>
/// The header of a safetensors file: a little-endian u64 length, then that many bytes of JSON that map tensor names to
/// {dtype, shape, data_offsets}. Every rule of the format is checked; nothing is read from the data buffer.
/// </summary>
/// <remarks>Format: https://github.com/huggingface/safetensors#format.</remarks>
public sealed class SafetensorsHeader
{
    /// <summary>Largest header the format allows, in bytes.</summary>
    public const long MaxLength = 100_000_000;

    private const int PrefixLength = 8;

    // The format sets no limit; PyTorch cannot build a tensor of more dimensions.
    private const int MaxRank = 64;

    // The format sets no limit here either; real names stay below 200 bytes.
    private const int MaxNameLength = 4096;

    private readonly Dictionary<string, SafetensorsTensor> tensors = new(StringComparer.Ordinal);
    private readonly string file;

    private SafetensorsHeader(string file) => this.file = file;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => tensors;

    /// <summary>Where the data buffer begins, in bytes from the start of the file.</summary>
    public long DataOffset { get; private set; }

    /// <summary>Reads and checks the length prefix alone.</summary>
    /// <param name="prefix">The file's first bytes, at least 8 where the file has them.</param>
    /// <param name="fileLength">Length of the file in bytes.</param>
    /// <param name="file">Name for messages.</param>
    /// <returns>The JSON's length in bytes.</returns>
    /// <exception cref="CheckpointException">The file is too short or the length is not allowed.</exception>
    public static int ReadLength(ReadOnlySpan<byte> prefix, long fileLength, string file)
    {
        if (fileLength < PrefixLength || prefix.Length < PrefixLength)
            throw new CheckpointException(file, "header length", "a file of at least 8 bytes", $"{fileLength} bytes");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxLength)
            throw new CheckpointException(file, "header length", "at most 100000000 bytes", $"{length}");
        if ((long)length > fileLength - PrefixLength)
            throw new CheckpointException(file, "header length", $"at most the file's remaining {fileLength - PrefixLength} bytes", $"{length}");
        return (int)length;
    }

    /// <summary>Parses the header of a file.</summary>
    /// <param name="start">The file's first bytes: the prefix and the whole JSON; more is ignored.</param>
    /// <param name="fileLength">Length of the file in bytes.</param>
    /// <param name="file">Name for messages.</param>
    /// <exception cref="CheckpointException">A rule of the format is broken.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> start, long fileLength, string file)
    {
        int length = ReadLength(start, fileLength, file);
        ReadOnlySpan<byte> json = start.Slice(PrefixLength, length);
        if (json.Length == 0 || json[0] != (byte)'{')
            throw new CheckpointException(file, "header", "JSON that starts with '{'", json.Length == 0 ? "nothing" : $"byte 0x{json[0]:x2}");
        if (!Utf8.IsValid(json))
            throw new CheckpointException(file, "header", "UTF-8", "invalid bytes");

        var header = new SafetensorsHeader(file) { DataOffset = PrefixLength + length };
        try
        {
            header.ReadEntries(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escape that is half of a surrogate pair.
            throw new CheckpointException(file, "header", "strict JSON", e.Message, e);
        }

        header.CheckContiguous(fileLength - header.DataOffset);
        return header;
    }

    private void ReadEntries(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        bool sawMetadata = false;
        reader.Read(); // the object's brace, checked by the caller
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            string name = ReadName(ref reader);
            if (name == "__metadata__")
            {
                if (sawMetadata) throw Duplicate(name);
                sawMetadata = true;
                ReadMetadata(ref reader);
            }
            else if (!tensors.TryAdd(name, ReadTensor(ref reader, name)))
            {
                throw Duplicate(name);
            }
        }

        // Only white space may follow; the reader throws on anything else.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        // Free-form notes of whoever wrote the file: checked, not kept.
        var keys = new HashSet<string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, "__metadata__", "an object of strings");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            string key = ReadName(ref reader);
            if (!keys.Add(key)) throw Duplicate($"__metadata__.{key}");
            Expect(ref reader, JsonTokenType.String, $"__metadata__.{key}", "a string");
        }
    }

    private SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, name, "an object");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            string key = ReadName(ref reader);
            bool duplicate = key switch
            {
                "dtype" => type is not null,
                "shape" => shape is not null,
                "data_offsets" => offsets is not null,
                _ => throw new CheckpointException(file, name, "the keys dtype, shape and data_offsets only", $"'{key}'"),
            };
            if (duplicate) throw Duplicate($"{name}.{key}");
            switch (key)
            {
                case "dtype": type = ReadType(ref reader, name); break;
                case "shape": shape = ReadNaturals(ref reader, $"{name}.shape", MaxRank); break;
                default: offsets = ReadNaturals(ref reader, $"{name}.data_offsets", 2); break;
            }
        }

        if (type is null) throw Missing(name, "dtype");
        if (shape is null) throw Missing(name, "shape");
        if (offsets is null) throw Missing(name, "data_offsets");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
            throw new CheckpointException(file, $"{name}.data_offsets", "[begin, end] with begin ≤ end", Format(offsets));

        long bytes = type.Value.Size();
        try
        {
            foreach (long dimension in shape) bytes = checked(bytes * dimension);
        }
        catch (OverflowException e)
        {
            throw new CheckpointException(file, $"{name}.shape", "a size below 2^63 bytes", Format(shape), e);
        }

        if (bytes != offsets[1] - offsets[0])
        {
            throw new CheckpointException(
                file, $"{name}.data_offsets", $"{bytes} bytes for {type} {Format(shape)}", $"{offsets[1] - offsets[0]} bytes");
        }

        return new SafetensorsTensor(name, type.Value, shape, offsets[0], offsets[1]);
    }

    private SafetensorsType ReadType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, $"{name}.dtype", "a string");
        string text = ReadName(ref reader);
        return SafetensorsTypes.TryParse(text, out SafetensorsType type)
            ? type
            : throw new CheckpointException(file, $"{name}.dtype", "a safetensors element type", $"'{text}'");
    }

    private long[] ReadNaturals(ref Utf8JsonReader reader, string field, int maxCount)
    {
        Expect(ref reader, JsonTokenType.StartArray, field, "an array of integers");
        Span<long> values = stackalloc long[MaxRank];
        int count = 0;
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
                throw new CheckpointException(file, field, "integers from 0 to 2^63 − 1", Describe(ref reader));
            if (count == maxCount)
                throw new CheckpointException(file, field, $"at most {maxCount} numbers", "more");
            values[count++] = value;
        }

        return values[..count].ToArray();
    }

    // Offsets must tile the buffer: sorted by position each tensor begins where the one before ended, from 0 to the end.
    private void CheckContiguous(long bufferLength)
    {
        SafetensorsTensor[] sorted = [.. tensors.Values];
        Array.Sort(sorted, static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long end = 0;
        foreach (SafetensorsTensor tensor in sorted)
        {
            if (tensor.Begin != end)
            {
                throw new CheckpointException(
                    file, $"{tensor.Name}.data_offsets", $"begin {end} (no holes, no overlaps)", $"begin {tensor.Begin}");
            }

            end = tensor.End;
        }

        if (end != bufferLength)
            throw new CheckpointException(file, "data_offsets", $"tensors that end at the buffer's end, byte {bufferLength}", $"end {end}");
    }

    private string ReadName(ref Utf8JsonReader reader) => reader.ValueSpan.Length <= MaxNameLength
        ? reader.GetString()!
        : throw new CheckpointException(file, "header", $"names of at most {MaxNameLength} bytes", $"{reader.ValueSpan.Length} bytes");

    private static JsonTokenType Next(ref Utf8JsonReader reader)
    {
        reader.Read(); // an incomplete document throws: the reader was given the final block
        return reader.TokenType;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string field, string expected)
    {
        if (Next(ref reader) != type) throw new CheckpointException(file, field, expected, Describe(ref reader));
    }

    private static string Describe(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(40, reader.ValueSpan.Length)]),
        JsonTokenType type => type.ToString(),
    };

    private static string Format(long[] values) =>
        $"[{string.Join(", ", values.Select(static v => v.ToString(CultureInfo.InvariantCulture)))}]";

    private CheckpointException Duplicate(string key) => new(file, key, "each key once", "a duplicate");

    private CheckpointException Missing(string name, string key) => new(file, $"{name}.{key}", "a value", "none");
}
