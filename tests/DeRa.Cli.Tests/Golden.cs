using System.Runtime.InteropServices;
using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary>Expected values computed by Hugging Face's own code: the project's own fixtures, and those of other people's text where present.</summary>
internal static class Golden
{
    public static string Root => RepositoryRoot.Path;

    public static string Models => Path.Combine(Root, "tests", "Golden", "models");

    public static IEnumerable<string> ModelCases() => Directory.GetDirectories(Models).Select(folder => Path.GetFileName(folder)!).Order();

    /// <summary>A folder of fixtures that the repository may not hold; the test is skipped by name where it is missing.</summary>
    public static string Shared(string path)
    {
        string shared = Environment.GetEnvironmentVariable("DERA_SHARED") ?? Path.Combine(Root, "..", "shared");
        string folder = Path.Combine(shared, "golden", path);
        if (!Path.Exists(folder))
        {
            Assert.Ignore($"{path}: the shared golden fixtures are not beside this checkout");
        }

        return folder;
    }

    public static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    public static int[] Ints(this JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    public static double[] Doubles(this JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetDouble())];

    /// <summary>A tensor of golden.bin.</summary>
    public static float[] Tensor(string folder, JsonElement golden, string name)
    {
        JsonElement entry = golden.GetProperty("tensors").GetProperty(name);
        byte[] all = File.ReadAllBytes(Path.Combine(folder, "golden.bin"));
        return MemoryMarshal.Cast<byte, float>(all.AsSpan(entry.GetProperty("offset").GetInt32(), entry.GetProperty("nbytes").GetInt32())).ToArray();
    }
}
