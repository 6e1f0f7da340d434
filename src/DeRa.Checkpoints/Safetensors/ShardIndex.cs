using System.Text.Json;
using DeRa.Checkpoints.Configuration;

namespace DeRa.Checkpoints.Safetensors;

/// <summary>model.safetensors.index.json: which shard of the folder holds which tensor.</summary>
public static class ShardIndex
{
    // 100 bytes an entry would allow a million tensors.
    private const long MaxBytes = 100_000_000;

    /// <summary>Reads the index and checks that every shard name is a plain file name.</summary>
    /// <returns>Tensor name → shard file name.</returns>
    /// <exception cref="CheckpointException">Not an index, or a shard name that could leave the folder.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path) => Parse(JsonFile.ReadBytes(path, MaxBytes), path);

    /// <summary>Parses the bytes of an index file.</summary>
    /// <exception cref="CheckpointException">Not an index, or a shard name that could leave the folder.</exception>
    public static IReadOnlyDictionary<string, string> Parse(ReadOnlyMemory<byte> json, string file) =>
        JsonFile.Read(json, file, root => WeightMap(root, file));

    private static Dictionary<string, string> WeightMap(JsonElement root, string file)
    {
        if (!root.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw new CheckpointException(file, "weight_map", "an object of tensor name to shard file name", "none");

        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            string? shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString() : null;
            if (shard is null || !IsPlainFileName(shard))
            {
                throw new CheckpointException(
                    file,
                    $"weight_map.{entry.Name}",
                    "a plain .safetensors file name in the same folder",
                    shard is null ? entry.Value.ValueKind.ToString() : $"'{shard}'");
            }

            result[entry.Name] = shard;
        }

        return result;
    }

    // Both separators and drive letters are refused on every system: a checkpoint must not mean different files on different ones.
    private static bool IsPlainFileName(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal)
        && name.Length <= 255
        && name[0] != '.'
        && name.AsSpan().IndexOfAny("/\\:") < 0
        && !name.Any(char.IsControl);
}
