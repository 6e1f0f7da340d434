using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DeRa.Evaluation;

/// <summary>The folder a sweep writes to: results.jsonl as it goes; manifest.json before and after; summaries and report at the end.</summary>
/// <param name="path">The folder.</param>
public sealed class SweepFolder(string path)
{
    /// <summary>One line a sample.</summary>
    public string Results => Path.Combine(FullPath, "results.jsonl");

    /// <summary>What it was made from.</summary>
    public string Manifest => Path.Combine(FullPath, "manifest.json");

    /// <summary>The folder itself.</summary>
    public string FullPath { get; } = path;

    /// <summary>
    /// Begins or takes up a sweep: creates the folder and the manifest, or requires that those which are there are of the same sweep; then opens the log.
    /// </summary>
    /// <returns>The log, and the manifest with what an earlier run of the sweep wrote in it.</returns>
    /// <exception cref="EvaluationException">The folder holds another sweep, or something else of these names.</exception>
    public (ResultLog Log, SweepManifest Manifest) Open(SweepManifest manifest, SweepPlan plan)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (File.Exists(FullPath))
        {
            throw new EvaluationException($"{FullPath}: expected a folder for results, found a file");
        }

        Directory.CreateDirectory(FullPath);
        if (TryReadManifest() is { } earlier)
        {
            if (earlier.Fingerprint != manifest.Fingerprint)
            {
                throw new EvaluationException($"{FullPath}: it holds a sweep with other settings ({earlier.DifferencesTo(manifest)}); give another --output");
            }

            if (earlier.Shard != manifest.Shard)
            {
                throw new EvaluationException($"{FullPath}: it holds shard {earlier.Shard}, not {manifest.Shard}; give each shard an --output of its own");
            }

            manifest = manifest with { StartedAt = earlier.StartedAt, Devices = [.. earlier.Devices.Union(manifest.Devices)] };
        }
        else if (File.Exists(Results) && new FileInfo(Results).Length > 0)
        {
            throw new EvaluationException($"{FullPath}: it holds results.jsonl without manifest.json, so it is not known what they are of; give another --output");
        }

        Write("manifest.json", EvaluationJson.Document(manifest));
        return (ResultLog.Open(Results, plan, manifest.Fingerprint), manifest);
    }

    /// <summary>The manifest of a folder.</summary>
    /// <exception cref="EvaluationException">None, or a malformed one.</exception>
    public SweepManifest ReadManifest() =>
        TryReadManifest() ?? throw new EvaluationException($"{FullPath}: expected the output of a sweep, found no manifest.json in it");

    /// <summary>Requires that the results are those which were there when the sweep finished.</summary>
    /// <exception cref="EvaluationException">They are missing or changed.</exception>
    public void RequireUnchanged(SweepManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!File.Exists(Results))
        {
            throw new EvaluationException($"{Results}: expected a finished sweep's results, found no such file");
        }

        using FileStream results = File.OpenRead(Results);
        if (Convert.ToHexStringLower(SHA256.HashData(results)) != manifest.ResultsSha256)
        {
            throw new EvaluationException($"{Results}: it is not what it was when its sweep finished");
        }
    }

    /// <summary>Writes all results at once, whole or not at all.</summary>
    internal void WriteResults(IEnumerable<string> lines)
    {
        string partial = Results + ".part";
        using (var writer = new StreamWriter(File.Create(partial), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" })
        {
            foreach (string line in lines)
            {
                writer.WriteLine(line);
            }
        }

        File.Move(partial, Results, overwrite: true);
    }

    /// <summary>Marks the sweep as finished.</summary>
    public void Finish(SweepManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        using FileStream results = File.OpenRead(Results);
        Write("manifest.json", EvaluationJson.Document(manifest with
        {
            FinishedAt = DateTimeOffset.UtcNow,
            ResultsSha256 = Convert.ToHexStringLower(SHA256.HashData(results)),
        }));
    }

    /// <summary>Writes a file whole or not at all.</summary>
    public void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file whole or not at all.</summary>
    public void Write(string name, byte[] content)
    {
        string target = Path.Combine(FullPath, name), partial = target + ".part";
        using (FileStream file = File.Create(partial))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(partial, target, overwrite: true);
    }

    private SweepManifest? TryReadManifest()
    {
        if (!File.Exists(Manifest))
        {
            return null;
        }

        try
        {
            return EvaluationJson.Read<SweepManifest>(File.ReadAllBytes(Manifest));
        }
        catch (JsonException exception)
        {
            throw new EvaluationException($"{Manifest}: expected a sweep's manifest, found something else: {exception.Message}", exception);
        }
    }
}
