namespace DeRa.Tokenization.Tests;

/// <summary>Where the test data lies: fixtures in the repository, and other people's files in a folder beside it, where there is one.</summary>
internal static class Shared
{
    private static readonly string Repository = FindRepository();

    /// <summary>A folder under tests/Golden.</summary>
    public static string Fixture(string name) => Path.Combine(Repository, "tests", "Golden", name);

    /// <summary>A folder under shared/golden; the test is skipped, by that name, where it is absent.</summary>
    public static string Golden(string name)
    {
        string shared = Environment.GetEnvironmentVariable("DERA_SHARED") ?? Path.Combine(Repository, "..", "shared");
        string folder = Path.Combine(shared, "golden", name);
        if (!Directory.Exists(folder))
            Assert.Ignore($"shared/golden/{name} is not present; set DERA_SHARED to the folder that holds golden/.");
        return folder;
    }

    private static string FindRepository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DeRa.Engine.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("DeRa.Engine.sln is in none of the folders above the tests.");
    }
}
