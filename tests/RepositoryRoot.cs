namespace DeRa.Tests;

/// <summary>Where the repository lies: the first folder above the running tests that holds the solution. Compiled into every test project.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "DeRa.Engine.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException($"DeRa.Engine.sln is in no folder above {AppContext.BaseDirectory}");
    }
}
