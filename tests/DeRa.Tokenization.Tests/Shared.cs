namespace DeRa.Tokenization.Tests;

/// <summary>Where the test data lies: fixtures in the repository, and other people's files in a folder beside it, where there is one.</summary>
internal static class Shared
{
    private static readonly string Repository = RepositoryRoot.Path;

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
}
