using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.PairTrainer.Model;

namespace DeRa.PairTrainer.Export;

/// <summary>
/// Writes and reads the trainer's own checkpoints in safetensors form: u64 header length, JSON header padded with spaces to a
/// multiple of 8, then the tensors in header order without gaps, all BF16.
/// </summary>
internal static class Safetensors
{
    private const int HeaderAlignment = 8;

    /// <summary>Writes all parameters.</summary>
    public static void Write(Stream stream, LlamaParameters<float> parameters)
    {
        JsonObject header = new() { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        long offset = 0;
        foreach (Parameter<float> parameter in parameters.All)
        {
            long end = offset + sizeof(ushort) * (long)parameter.Value.Length;
            header[parameter.Name] = new JsonObject
            {
                ["dtype"] = "BF16",
                ["shape"] = new JsonArray([.. parameter.Shape.Select(size => JsonValue.Create(size))]),
                ["data_offsets"] = new JsonArray(offset, end),
            };
            offset = end;
        }

        string json = header.ToJsonString();
        byte[] headerBytes = Encoding.UTF8.GetBytes(json.PadRight((json.Length + HeaderAlignment - 1) / HeaderAlignment * HeaderAlignment));
        byte[] length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)headerBytes.Length);
        stream.Write(length);
        stream.Write(headerBytes);
        foreach (Parameter<float> parameter in parameters.All)
            stream.Write(Encode(parameter.Value));
    }

    /// <summary>Reads a checkpoint that <see cref="Write"/> made into parameters of the same shapes.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or has another dtype, shape or place.</exception>
    public static void Read(byte[] file, LlamaParameters<float> parameters)
    {
        int headerLength = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        int dataStart = sizeof(ulong) + headerLength;
        JsonNode header = JsonNode.Parse(file.AsSpan(sizeof(ulong), headerLength))!;
        foreach (Parameter<float> parameter in parameters.All)
        {
            JsonNode entry = header[parameter.Name] ?? throw new InvalidDataException($"Checkpoint has no tensor '{parameter.Name}'.");
            int[] shape = entry["shape"].Deserialize<int[]>() ?? [];
            int[] offsets = entry["data_offsets"].Deserialize<int[]>() ?? [];
            if ((string?)entry["dtype"] != "BF16" || !shape.SequenceEqual(parameter.Shape)
                || offsets.Length != 2 || offsets[1] - offsets[0] != sizeof(ushort) * parameter.Value.Length)
            {
                throw new InvalidDataException(
                    $"Tensor '{parameter.Name}': expected BF16 [{string.Join(", ", parameter.Shape)}], found {entry.ToJsonString()}.");
            }

            for (int i = 0; i < parameter.Value.Length; i++)
            {
                parameter.Value[i] = BFloat16.ToSingle(
                    BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(dataStart + offsets[0] + sizeof(ushort) * i)));
            }
        }
    }

    private static byte[] Encode(float[] values)
    {
        byte[] bytes = new byte[sizeof(ushort) * values.Length];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(sizeof(ushort) * i), BFloat16.FromSingle(values[i]));
        return bytes;
    }
}
