namespace DeRa.Benchmarks;

/// <summary>The pair to measure: two folders of the user's, or random ones that are deleted with this object.</summary>
public sealed class PairFolders : IDisposable
{
    private readonly string? temporary;

    private PairFolders(string name, string reference, string aligned, string? temporary) =>
        (Name, Reference, Aligned, this.temporary) = (name, reference, aligned, temporary);

    /// <summary>What reports call the pair.</summary>
    public string Name { get; }

    /// <summary>Checkpoint folder of the reference model.</summary>
    public string Reference { get; }

    /// <summary>Checkpoint folder of the aligned model.</summary>
    public string Aligned { get; }

    /// <summary>Whether the weights are random, so that one model's output matrix may stand in for the other's.</summary>
    public bool IsRandom => temporary is not null;

    /// <summary>A pair that exists.</summary>
    public static PairFolders Existing(string reference, string aligned) =>
        new($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(reference))} + {Path.GetFileName(Path.TrimEndingDirectorySeparator(aligned))}", reference, aligned, null);

    /// <summary>A pair of a shape with random weights, in the folder for temporary files.</summary>
    /// <exception cref="IOException">There is not enough room, or it cannot be written.</exception>
    public static PairFolders Random(ModelShape shape) => Random(shape, "random bf16", folder => RandomCheckpoint.Write(shape, folder, seed: 2));

    /// <summary>A random pair whose second model is the first plus noise, so that the models mostly agree, as a model and its fine-tuned form do.</summary>
    /// <param name="shape">Both models' shape.</param>
    /// <param name="noise">Standard deviation of the noise as a share of the weights'.</param>
    /// <exception cref="IOException">There is not enough room, or it cannot be written.</exception>
    public static PairFolders Near(ModelShape shape, float noise) => Random(
        shape, FormattableString.Invariant($"random bf16, {100 * noise:0.#} % apart"), folder => RandomCheckpoint.Write(shape, folder, seed: 1, noise));

    private static PairFolders Random(ModelShape shape, string kind, Action<string> writeAligned)
    {
        ArgumentNullException.ThrowIfNull(shape);
        string root = Path.GetTempPath();
        long needed = 2 * shape.CheckpointBytes, free = new DriveInfo(root).AvailableFreeSpace;
        if (needed > free)
        {
            throw new IOException($"{root}: {needed} bytes needed for a random pair of shape {shape.Name}, {free} are free");
        }

        string folder = Directory.CreateTempSubdirectory("dera-bench-").FullName;
        var pair = new PairFolders($"{shape.Name} {kind}", Path.Combine(folder, "reference"), Path.Combine(folder, "aligned"), folder);
        try
        {
            RandomCheckpoint.Write(shape, pair.Reference, seed: 1);
            writeAligned(pair.Aligned);
            return pair;
        }
        catch
        {
            pair.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (temporary is not null && Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }
    }
}
