namespace DeRa.PairTrainer.Figures;

/// <summary>One λ of a series: means per prompt, in the order of prompt ids, and all lengths.</summary>
internal sealed record SeriesPoint(double Lambda, string[] Prompts, double[] Rewards, double[] Kls, double[] Lengths, int[] SampleLengths)
{
    /// <summary>Gathers samples of one λ by prompt.</summary>
    public static SeriesPoint From(double lambda, IEnumerable<SweepSample> samples)
    {
        SweepSample[] all = [.. samples];
        SweepSample[][] byPrompt = [.. all.GroupBy(s => s.PromptId).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToArray())];
        return new SeriesPoint(
            lambda,
            [.. byPrompt.Select(g => g[0].PromptId)],
            [.. byPrompt.Select(g => g.Average(s => s.Reward))],
            [.. byPrompt.Select(g => g.Average(s => s.Kl))],
            [.. byPrompt.Select(g => g.Average(s => (double)s.Length))],
            [.. all.Select(s => s.Length)]);
    }
}

/// <summary>A named curve over λ.</summary>
internal sealed record Series(string Name, SeriesPoint[] Points)
{
    /// <summary>
    /// Reads NAME=FOLDER, a sweep with all its λ, or NAME=PREFIX*, one sweep per model: PREFIX is followed by λ in the folder's name, and the sweep's samples at
    /// λ = 1, the model itself, are that point.
    /// </summary>
    /// <exception cref="InvalidDataException">Another form, or nothing there.</exception>
    public static Series Read(string form, string reward)
    {
        string[] parts = form.Split('=', 2);
        if (parts.Length != 2 || parts[0].Length == 0 || parts[0].Contains(','))
            throw new InvalidDataException($"series: expected NAME=FOLDER or NAME=PREFIX*, no comma in NAME, found '{form}'");
        SeriesPoint[] points = parts[1].EndsWith('*') ? ReadModels(parts[1][..^1], reward) : ReadSweep(parts[1], reward);
        return points.Length > 0 ? new Series(parts[0], points) : throw new InvalidDataException($"series {parts[0]}: nothing at {parts[1]}");
    }

    private static SeriesPoint[] ReadSweep(string folder, string reward) =>
        [.. SweepSample.Read(folder, reward).GroupBy(s => s.Lambda).OrderBy(g => g.Key).Select(g => SeriesPoint.From(g.Key, g))];

    private static SeriesPoint[] ReadModels(string prefix, string reward)
    {
        string name = Path.GetFileName(prefix);
        return
        [
            .. Directory.GetDirectories(Path.GetDirectoryName(Path.GetFullPath(prefix))!, name + "*")
                .Select(folder => (folder, lambda: double.Parse(Path.GetFileName(folder)[name.Length..], System.Globalization.CultureInfo.InvariantCulture)))
                .OrderBy(model => model.lambda)
                .Select(model => SeriesPoint.From(model.lambda, SweepSample.Read(model.folder, reward).Where(s => s.Lambda == 1))),
        ];
    }
}
