using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Checkpoints.Tests;

/// <summary>A throw-away copy of a golden checkpoint, as plain data that a test changes before it is written and opened.</summary>
public sealed class TestFolder : IDisposable
{
    private TestFolder(string name) => Directory.CreateDirectory(
        Folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, "folders", $"{TestContext.CurrentContext.Test.ID}-{name.Replace('/', '-')}"));

    public string Folder { get; }

    public JsonObject Config { get; private set; } = [];

    public SortedDictionary<string, StoredTensor> Tensors { get; } = new(StringComparer.Ordinal);

    public static TestFolder CopyOf(string golden)
    {
        var copy = new TestFolder(golden);
        string source = GoldenModels.PathOf(golden);
        copy.Config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        foreach (string path in Directory.EnumerateFiles(source, "*.safetensors"))
        {
            byte[] file = File.ReadAllBytes(path);
            int json = (int)BitConverter.ToUInt64(file);
            using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, json));
            foreach (JsonProperty entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
            {
                JsonElement offsets = entry.Value.GetProperty("data_offsets");
                copy.Tensors[entry.Name] = new StoredTensor(
                    entry.Value.GetProperty("dtype").GetString()!,
                    [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())],
                    file[(8 + json + offsets[0].GetInt32())..(8 + json + offsets[1].GetInt32())]);
            }
        }

        return copy;
    }

    public void Add(string name, string dtype, params long[] shape)
    {
        int size = dtype switch { "F64" or "I64" => 8, "F32" or "I32" => 4, "F16" or "BF16" => 2, _ => 1 };
        Tensors[name] = new StoredTensor(dtype, shape, new byte[size * shape.Aggregate(1L, (a, b) => a * b)]);
    }

    public void Rename(Func<string, string> rename)
    {
        KeyValuePair<string, StoredTensor>[] all = [.. Tensors];
        Tensors.Clear();
        foreach ((string name, StoredTensor tensor) in all) Tensors[rename(name)] = tensor;
    }

    public void WriteConfig() => File.WriteAllText(Path.Combine(Folder, "config.json"), Config.ToJsonString());

    public void WriteTensors(string fileName, Func<string, bool>? which = null)
    {
        KeyValuePair<string, StoredTensor>[] chosen = [.. Tensors.Where(t => which?.Invoke(t.Key) ?? true)];
        var header = new JsonObject();
        int at = 0;
        foreach ((string name, StoredTensor tensor) in chosen)
        {
            header[name] = new JsonObject
            {
                ["dtype"] = tensor.DType,
                ["shape"] = new JsonArray([.. tensor.Shape.Select(d => (JsonNode)d)]),
                ["data_offsets"] = new JsonArray(at, at += tensor.Data.Length),
            };
        }

        byte[] empty = SafetensorsBytes.File(header.ToJsonString(), 0);
        File.WriteAllBytes(Path.Combine(Folder, fileName), [.. empty, .. chosen.SelectMany(t => t.Value.Data)]);
    }

    public void WriteIndex(string json) => File.WriteAllText(Path.Combine(Folder, "model.safetensors.index.json"), json);

    public Checkpoint Open()
    {
        WriteConfig();
        WriteTensors("model.safetensors");
        return Checkpoint.Open(Folder);
    }

    public CheckpointException Refused()
    {
        WriteConfig();
        WriteTensors("model.safetensors");
        return RefusedAsWritten();
    }

    public CheckpointException RefusedAsWritten() =>
        Assert.Throws<CheckpointException>(() => Checkpoint.Open(Folder).Dispose())!;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>One tensor as stored.</summary>
    public sealed record StoredTensor(string DType, long[] Shape, byte[] Data);
}
