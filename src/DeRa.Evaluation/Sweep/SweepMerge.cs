using System.Text.Json;

namespace DeRa.Evaluation;

/// <summary>Puts the shards of a sweep together into what the undivided sweep would have written.</summary>
public static class SweepMerge
{
    /// <summary>Merges finished shards; the target's results.jsonl has the bytes of an undivided sweep's.</summary>
    /// <param name="shards">All shards, in any order.</param>
    /// <param name="target">A new or empty folder.</param>
    /// <param name="command">The command line, for the manifest.</param>
    /// <returns>The manifest of the whole.</returns>
    /// <exception cref="EvaluationException">A shard that is missing, given twice, unfinished, changed, or of another sweep; a target that holds something.</exception>
    public static SweepManifest Merge(IReadOnlyList<SweepFolder> shards, SweepFolder target, IReadOnlyList<string> command)
    {
        ArgumentNullException.ThrowIfNull(shards);
        ArgumentNullException.ThrowIfNull(target);
        SweepManifest[] manifests = [.. shards.Select(shard => shard.ReadManifest())];
        SweepFolder[] ordered = Order(shards, manifests);
        if (File.Exists(target.FullPath) || (Directory.Exists(target.FullPath) && Directory.EnumerateFileSystemEntries(target.FullPath).Any()))
        {
            throw new EvaluationException($"{target.FullPath}: expected a new or empty folder, found {(File.Exists(target.FullPath) ? "a file" : "files in it")}");
        }

        foreach ((SweepFolder shard, SweepManifest manifest) in shards.Zip(manifests))
        {
            shard.RequireUnchanged(manifest);
        }

        Directory.CreateDirectory(target.FullPath);
        SweepManifest whole = manifests[0] with
        {
            Shard = Shard.Whole.ToString(),
            Devices = [.. manifests.SelectMany(manifest => manifest.Devices).Distinct()],
            Command = command,
            StartedAt = manifests.Min(manifest => manifest.StartedAt),
            FinishedAt = null,
            ResultsSha256 = null,
        };
        target.WriteResults(Interleave(ordered, whole));
        target.Finish(whole);
        return target.ReadManifest();
    }

    private static SweepFolder[] Order(IReadOnlyList<SweepFolder> shards, SweepManifest[] manifests)
    {
        int count = Shard.Parse(manifests[0].Shard).Count;
        var ordered = new SweepFolder?[count];
        for (int i = 0; i < manifests.Length; i++)
        {
            if (manifests[i].Fingerprint != manifests[0].Fingerprint)
            {
                throw new EvaluationException($"{shards[i].FullPath}: it is of another sweep than {shards[0].FullPath} ({manifests[0].DifferencesTo(manifests[i])})");
            }

            Shard shard = Shard.Parse(manifests[i].Shard);
            if (shard.Count != count)
            {
                throw new EvaluationException($"{shards[i].FullPath}: it is shard {shard}, {shards[0].FullPath} is {manifests[0].Shard}");
            }

            if (ordered[shard.Number - 1] is { } twice)
            {
                throw new EvaluationException($"{shards[i].FullPath}: it is shard {shard}, and so is {twice.FullPath}");
            }

            if (manifests[i].FinishedAt is null)
            {
                throw new EvaluationException($"{shards[i].FullPath}: its sweep is not finished; run its command again to finish it");
            }

            ordered[shard.Number - 1] = shards[i];
        }

        int missing = Array.IndexOf(ordered, null);
        return missing < 0 ? [.. ordered.OfType<SweepFolder>()] : throw new EvaluationException($"shard {missing + 1}/{count} is missing");
    }

    /// <summary>Lines prompt by prompt: prompt i is in shard i mod n.</summary>
    private static IEnumerable<string> Interleave(SweepFolder[] shards, SweepManifest manifest)
    {
        IEnumerator<string>[] lines = [.. shards.Select(shard => File.ReadLines(shard.Results).GetEnumerator())];
        try
        {
            for (int prompt = 0; prompt < manifest.Prompts; prompt++)
            {
                IEnumerator<string> shard = lines[prompt % lines.Length];
                for (int unit = 0; unit < manifest.Lambdas.Count * manifest.Samples; unit++)
                {
                    if (!shard.MoveNext() || PromptIndex(shard.Current) != prompt)
                    {
                        throw new EvaluationException($"{shards[prompt % lines.Length].Results}: expected results of prompt {prompt}, found other ones");
                    }

                    yield return shard.Current;
                }
            }
        }
        finally
        {
            foreach (IEnumerator<string> one in lines)
            {
                one.Dispose();
            }
        }
    }

    private static int PromptIndex(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("prompt_index").GetInt32();
    }
}
