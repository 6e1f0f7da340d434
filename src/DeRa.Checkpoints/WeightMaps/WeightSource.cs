using DeRa.Checkpoints.Safetensors;
using DeRa.Kernels;

namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Hands tensors to the weight maps by name, checks shape and dtype, and remembers which were taken.</summary>
internal sealed class WeightSource
{
    private readonly string location;
    private readonly IReadOnlyDictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> tensors;
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly string prefix;

    /// <summary>Creates the source.</summary>
    /// <param name="location">Folder or file for messages.</param>
    /// <param name="tensors">All tensors of the checkpoint.</param>
    /// <param name="prefix">What stands before the backbone's names where it was saved as part of a model with a head.</param>
    public WeightSource(string location, IReadOnlyDictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> tensors, string prefix)
    {
        this.location = location;
        this.tensors = tensors;
        this.prefix = prefix;
    }

    /// <summary>Names no map asked for, sorted.</summary>
    public IReadOnlyList<string> Unused => [.. tensors.Keys.Where(name => !taken.Contains(name)).Order(StringComparer.Ordinal)];

    /// <summary>A tensor of the backbone, with or without the prefix.</summary>
    /// <exception cref="CheckpointException">Missing, another shape, or not F32, F16 or BF16.</exception>
    public CheckpointTensor Backbone(string name, params ReadOnlySpan<long> shape)
    {
        string full = tensors.ContainsKey(prefix + name) || !tensors.ContainsKey(name) ? prefix + name : name;
        return Exact(full, shape);
    }

    /// <summary>As <see cref="Backbone"/> where the config says there is one, else null.</summary>
    public CheckpointTensor? BackboneIf(bool present, string name, params ReadOnlySpan<long> shape) =>
        present ? Backbone(name, shape) : null;

    /// <summary>Whether a tensor of the backbone is stored.</summary>
    public bool HasBackbone(string name) => tensors.ContainsKey(prefix + name) || tensors.ContainsKey(name);

    /// <summary>Whether a tensor is stored under exactly this name.</summary>
    public bool Has(string name) => tensors.ContainsKey(name);

    /// <summary>A tensor under exactly this name.</summary>
    /// <exception cref="CheckpointException">Missing, another shape, or not F32, F16 or BF16.</exception>
    public CheckpointTensor Exact(string name, params ReadOnlySpan<long> shape)
    {
        if (!tensors.TryGetValue(name, out (SafetensorsFile File, SafetensorsTensor Tensor) entry))
            throw new CheckpointException(location, name, $"a tensor of shape {Format(shape)}", "none");
        if (entry.Tensor.Type.ToDType() is not DType dtype)
            throw new CheckpointException(entry.File.Path, name, "dtype F32, F16 or BF16", $"{entry.Tensor.Type}");
        long[] found = [.. entry.Tensor.Shape];
        if (!shape.SequenceEqual(found))
            throw new CheckpointException(entry.File.Path, name, $"shape {Format(shape)}", Format(found));
        taken.Add(name);
        return new CheckpointTensor(entry.File, entry.Tensor, dtype);
    }

    /// <summary>Marks a tensor as known though not needed.</summary>
    public void Ignore(string name) => taken.Add(name);

    private static string Format(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
