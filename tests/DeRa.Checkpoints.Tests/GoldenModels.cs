namespace DeRa.Checkpoints.Tests;

/// <summary>Paths of the checkpoint folders under tests/Golden/models.</summary>
public static class GoldenModels
{
    public static string Root { get; } = Path.Combine(RepositoryRoot.Path, "tests", "Golden", "models");

    public static IEnumerable<string> Folders =>
        from model in Directory.EnumerateDirectories(Root).Order(StringComparer.Ordinal)
        from side in new[] { "ref", "aligned" }
        select $"{Path.GetFileName(model)}/{side}";

    public static IEnumerable<string> FoldersWithVersion5Config => Folders.Where(f => File.Exists(Path.Combine(Root, f, "config_v5.json")));

    public static string PathOf(string folder) => Path.Combine(Root, folder);
}
