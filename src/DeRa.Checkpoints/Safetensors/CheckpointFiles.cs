namespace DeRa.Checkpoints.Safetensors;

/// <summary>The safetensors files of a folder, one or many, as one set of named tensors.</summary>
internal sealed class CheckpointFiles : IDisposable
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> tensors = new(StringComparer.Ordinal);

    private CheckpointFiles(string location) => Location = location;

    /// <summary>The file to name when a tensor is missing: the one file, or the index.</summary>
    public string Location { get; }

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> Tensors => tensors;

    /// <summary>Maps model.safetensors, or else the shards the index names.</summary>
    /// <exception cref="CheckpointException">No safetensors, a broken file, or an index that disagrees with its shards.</exception>
    public static CheckpointFiles Open(string folder)
    {
        string single = Path.Combine(folder, SingleName);
        string index = Path.Combine(folder, IndexName);
        bool sharded = !File.Exists(single) && File.Exists(index);
        if (!sharded && !File.Exists(single)) throw NoWeights(folder);

        var result = new CheckpointFiles(sharded ? index : single);
        try
        {
            if (sharded) result.AddShards(folder, index);
            else result.AddAll(SafetensorsFile.Open(single));
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps every file.</summary>
    public void Dispose()
    {
        foreach (SafetensorsFile file in files) file.Dispose();
    }

    private void AddAll(SafetensorsFile file)
    {
        files.Add(file);
        foreach (SafetensorsTensor tensor in file.Header.Tensors.Values) tensors.Add(tensor.Name, (file, tensor));
    }

    private void AddShards(string folder, string index)
    {
        IReadOnlyDictionary<string, string> map = ShardIndex.Read(index);
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach (string name in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path)) throw new CheckpointException(index, "weight_map", $"the shard {name} in the same folder", "none");
            shards[name] = SafetensorsFile.Open(path);
            files.Add(shards[name]);
        }

        foreach ((string tensor, string shard) in map)
        {
            if (!shards[shard].Header.Tensors.TryGetValue(tensor, out SafetensorsTensor? entry))
                throw new CheckpointException(shards[shard].Path, tensor, $"a tensor, as {IndexName} says", "none");
            tensors.Add(tensor, (shards[shard], entry));
        }
    }

    private static CheckpointException NoWeights(string folder)
    {
        string expected = $"{SingleName} or {IndexName}";
        string[] pickles = [.. Directory.EnumerateFiles(folder, "pytorch_model*.bin").Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        return pickles.Length == 0
            ? new CheckpointException(folder, "weights", expected, "neither")
            : new CheckpointException(folder, "weights", expected, $"{pickles[0]} (pickled PyTorch files are not read: convert the folder to safetensors first)");
    }
}
