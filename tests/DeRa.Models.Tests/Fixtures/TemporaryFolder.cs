namespace DeRa.Models.Tests;

/// <summary>A folder that lives as long as a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dera-models-").FullName;

    /// <summary>A copy of a checkpoint folder whose config.json is another of its files.</summary>
    public static TemporaryFolder WithConfig(string folder, string configFile)
    {
        var copy = new TemporaryFolder();
        foreach (string file in Directory.EnumerateFiles(folder)) File.Copy(file, System.IO.Path.Combine(copy.Path, System.IO.Path.GetFileName(file)));
        File.Copy(System.IO.Path.Combine(folder, configFile), System.IO.Path.Combine(copy.Path, "config.json"), overwrite: true);
        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
