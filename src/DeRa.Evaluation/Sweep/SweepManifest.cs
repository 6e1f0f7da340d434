using System.Security.Cryptography;
using System.Text;

namespace DeRa.Evaluation;

/// <summary>What a sweep was made from, as manifest.json holds it: enough to tell whether two sweeps are one, and to repeat it.</summary>
public sealed record SweepManifest
{
    /// <summary>Everything that results depend on, name to value; two sweeps with equal settings have equal results on the same kind of device.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>SHA-256 of the settings.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>λ values, ascending.</summary>
    public required IReadOnlyList<float> Lambdas { get; init; }

    /// <summary>Samples per prompt and λ.</summary>
    public required int Samples { get; init; }

    /// <summary>Prompts of the whole sweep.</summary>
    public required int Prompts { get; init; }

    /// <summary>Names of the rewards.</summary>
    public required IReadOnlyList<string> Rewards { get; init; }

    /// <summary>The part drawn here, as in 2/4.</summary>
    public required string Shard { get; init; }

    /// <summary>Files the sweep was made from, with their hashes.</summary>
    public required IReadOnlyList<HashedFile> Inputs { get; init; }

    /// <summary>Versions of what computed it.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>The devices it ran on, first to last.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>The command line.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>When it was begun, in UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it was finished, in UTC; null while it is not.</summary>
    public required DateTimeOffset? FinishedAt { get; init; }

    /// <summary>SHA-256 of results.jsonl once it is finished.</summary>
    public required string? ResultsSha256 { get; init; }

    /// <summary>Hash of settings, in the order of their names.</summary>
    public static string FingerprintOf(IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        string text = string.Concat(settings.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}\0{entry.Value}\0"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The first settings that differ, for a message; empty where none does.</summary>
    public string DifferencesTo(SweepManifest other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return string.Join("; ", Settings.Keys.Union(other.Settings.Keys).Order(StringComparer.Ordinal)
            .Where(name => Value(this, name) != Value(other, name))
            .Take(4)
            .Select(name => $"{name}: {Short(Value(this, name))} there, {Short(Value(other, name))} here"));

        static string Value(SweepManifest manifest, string name) => manifest.Settings.GetValueOrDefault(name, "nothing");

        static string Short(string value) => value.Length > 60 ? value[..60] + "…" : value;
    }
}

/// <summary>A file and what it held.</summary>
/// <param name="Role">What it is for.</param>
/// <param name="File">Its path as given.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its hash.</param>
public sealed record HashedFile(string Role, string File, long Bytes, string Sha256)
{
    /// <summary>Hashes a file.</summary>
    public static HashedFile Of(string role, string file)
    {
        using FileStream stream = System.IO.File.OpenRead(file);
        return new HashedFile(role, file, stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    /// <summary>Hashes what a checkpoint folder is loaded from: configurations, weights, tokenizer and template.</summary>
    public static IReadOnlyList<HashedFile> OfCheckpoint(string role, string folder) =>
    [
        .. Directory.GetFiles(folder)
            .Where(file => Path.GetExtension(file) is ".json" or ".safetensors" or ".model" or ".jinja" or ".txt")
            .Order(StringComparer.Ordinal)
            .Select(file => Of(role, file)),
    ];

    /// <summary>One hash for several files, by their names and contents.</summary>
    public static string Together(IEnumerable<HashedFile> files) => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes(string.Concat(files.Select(file => $"{Path.GetFileName(file.File)}\0{file.Sha256}\0")))));
}
