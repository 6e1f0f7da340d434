namespace DeRa.Tokenization.Tests;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("dera-tokenizer-").FullName;

    public void Copy(string file) => File.Copy(file, Path.Combine(FullName, Path.GetFileName(file)));

    public void Write(string name, string content) => File.WriteAllText(Path.Combine(FullName, name), content);

    public void Write(string name, byte[] content) => File.WriteAllBytes(Path.Combine(FullName, name), content);

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
