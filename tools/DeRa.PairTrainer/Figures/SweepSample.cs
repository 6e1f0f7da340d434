using System.Globalization;
using System.Text.Json;

namespace DeRa.PairTrainer.Figures;

/// <summary>What figures need of a line of results.jsonl, as `dera sweep` writes it.</summary>
internal sealed record SweepSample(string PromptId, double Lambda, double Reward, double Kl, int Length)
{
    /// <summary>Reads the samples of a sweep's folder, under one of its rewards.</summary>
    /// <exception cref="InvalidDataException">A line lacks a field or the reward.</exception>
    public static SweepSample[] Read(string folder, string reward)
    {
        string file = Path.Combine(folder, "results.jsonl");
        return [.. File.ReadLines(file).Select((line, i) => Parse(line, reward, $"{file}, line {i + 1}"))];
    }

    private static SweepSample Parse(string line, string reward, string place)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement root = document.RootElement;
        JsonElement Field(JsonElement parent, string name) =>
            parent.TryGetProperty(name, out JsonElement value) ? value : throw new InvalidDataException($"{place}: expected '{name}', found none");

        // λ is a float32 there: its shortest decimal is what was asked for.
        double lambda = double.Parse(Field(root, "lambda").GetSingle().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return new SweepSample(
            Field(root, "prompt_id").GetString()!,
            lambda,
            Field(Field(root, "rewards"), reward).GetDouble(),
            Field(root, "kl_reference").GetDouble(),
            Field(root, "length").GetInt32());
    }
}
