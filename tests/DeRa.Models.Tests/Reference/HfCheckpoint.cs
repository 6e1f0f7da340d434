using System.Buffers.Binary;
using System.Text.Json;

namespace DeRa.Models.Tests.Reference;

/// <summary>A checkpoint read the slow way for the oracle: JSON and safetensors, every tensor widened to float64. Shares no code with the engine.</summary>
internal sealed class HfCheckpoint
{
    private readonly Dictionary<string, (int[] Shape, double[] Data)> tensors = [];
    private readonly JsonElement config;
    private readonly string prefix;

    public HfCheckpoint(string folder, string configFile = "config.json")
    {
        config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, configFile))).RootElement;
        foreach (string file in Directory.EnumerateFiles(folder, "*.safetensors")) ReadTensors(file);
        prefix = ModelType switch { "gpt2" => "transformer.", "gpt_neox" => "gpt_neox.", _ => "model." };
    }

    public string ModelType => config.GetProperty("model_type").GetString()!;

    /// <summary>rope_parameters (transformers 5) or rope_scaling (4); null where there is neither.</summary>
    public JsonElement? Rope => Element("rope_parameters") ?? Element("rope_scaling");

    public int Int(string name) => (int)Number(name)!.Value;

    public double? Number(string name) => Element(name)?.GetDouble();

    public bool Flag(string name, bool otherwise) => Element(name)?.GetBoolean() ?? otherwise;

    public string? Text(string name) => Element(name)?.GetString();

    public JsonElement? Element(string name) =>
        config.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A tensor of the backbone, or null.</summary>
    public Tensor? Find(string name) =>
        tensors.TryGetValue(prefix + name, out var t) || tensors.TryGetValue(name, out t) ? new Tensor(t.Shape, t.Data) : null;

    /// <summary>A tensor of the backbone.</summary>
    public Tensor this[string name] => Find(name) ?? throw new KeyNotFoundException(name);

    private void ReadTensors(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        foreach (JsonProperty entry in JsonDocument.Parse(bytes.AsMemory(8, length)).RootElement.EnumerateObject())
        {
            if (entry.Name == "__metadata__") continue;
            string type = entry.Value.GetProperty("dtype").GetString()!;
            int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())];
            int begin = 8 + length + entry.Value.GetProperty("data_offsets")[0].GetInt32();
            var data = new double[shape.Aggregate(1, (a, b) => a * b)];
            for (int i = 0; i < data.Length; i++)
            {
                data[i] = type switch
                {
                    "F32" => BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(begin + (4 * i))),
                    "F16" => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes.AsSpan(begin + (2 * i))),
                    "BF16" => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(begin + (2 * i))) << 16),
                    _ => 0, // buffers such as attention masks
                };
            }

            tensors.Add(entry.Name, (shape, data));
        }
    }
}

/// <summary>A float64 tensor, row-major.</summary>
internal sealed record Tensor(int[] Shape, double[] Data)
{
    public double[] Row(int index) => Data[(index * Shape[1])..((index + 1) * Shape[1])];
}
