using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeRa.Cli.Output;

/// <summary>The report of <c>inspect</c> for people: a property a row, a model a column, what concerns the pair below.</summary>
internal static class InspectTable
{
    public static IRenderable Render(ModelReport[] models, PairReport? pair)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (string title in models.Length == 1 ? ["Model"] : new[] { "Reference", "Aligned" })
        {
            table.AddColumn(title);
        }

        Row("Folder", model => model.Folder);
        Row("Architecture", model => model.Architecture);
        Row("Parameters", model => Count(model.Parameters));
        Row("Weights", model => $"{Bytes(model.WeightBytes)} ({string.Join(", ", model.BytesByDtype.Keys)})");
        Row("Layers × hidden", model => $"{model.Layers} × {model.HiddenSize}, MLP {model.IntermediateSize}");
        Row("Heads", model => $"{model.Heads} query, {model.KvHeads} key-value, of {model.HeadDim}");
        Row("Positions", model => $"{model.MaxPositions}, {(model.Rope is null ? "learned" : $"rope {model.Rope}")}");
        Row("Window", model => string.Join(", ", model.SlidingWindows.Select(window => window?.ToString(CultureInfo.InvariantCulture) ?? "full")));
        Row("Vocabulary", model => $"{model.VocabularySize}, output {(model.TiedOutput ? "tied to the embedding" : "of its own")}");
        Row("End of sequence", model => string.Join(", ", model.EosIds));
        Row("Cache per token", model => Bytes(model.KvBytesPerToken));
        Row("Unused tensors", model => model.UnusedTensors.Count == 0 ? "none" : string.Join(", ", model.UnusedTensors.Take(5)) + (model.UnusedTensors.Count > 5 ? $" and {model.UnusedTensors.Count - 5} more" : ""));
        if (pair is null)
        {
            return table;
        }

        Table together = new Table().Border(TableBorder.Rounded).AddColumns("Pair", "");
        together.AddRow(new Text("Vocabulary"), new Text($"{pair.Vocabulary}; {pair.SharedVocabulary} rows in both"));
        together.AddRow(new Text("Identical tensors"), new Text($"{pair.SharedTensors}, {Bytes(pair.SharedBytes)} stored once"));
        together.AddRow(new Text("Output projection"), new Text(pair.SharedOutput ? "identical: one projection serves both models" : "one of each model"));
        together.AddRow(new Text("Memory"), new Text($"{Bytes(pair.WeightBytes)} of weights, {Bytes(pair.KvBytesPerToken)} of cache per token"));
        return new Rows(table, together);

        void Row(string name, Func<ModelReport, string> value) =>
            table.AddRow([new Text(name), .. models.Select(model => new Text(value(model)))]);
    }

    private static string Count(long value) => value >= 1_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:F2} M")
        : value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Bytes(long value) => value switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{value / (double)(1L << 30):F2} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{value / (double)(1L << 20):F2} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value / 1024.0:F1} KiB"),
    };
}
