using System.Globalization;

namespace DeRa.Evaluation;

/// <summary>A part of a sweep for one machine: every <see cref="Count"/>-th prompt.</summary>
/// <param name="Number">Which part, from 1.</param>
/// <param name="Count">Parts in all.</param>
public readonly record struct Shard(int Number, int Count)
{
    /// <summary>The only part of an undivided sweep.</summary>
    public static Shard Whole { get; } = new(1, 1);

    /// <summary>Whether a prompt belongs to this part.</summary>
    public bool Holds(int promptIndex) => promptIndex % Count == Number - 1;

    /// <summary>Reads <c>2/4</c>.</summary>
    /// <exception cref="EvaluationException">Another form.</exception>
    public static Shard Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split('/');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && number >= 1 && number <= count
            ? new Shard(number, count)
            : throw new EvaluationException($"shard {text}: expected a part and their number, as in 2/4");
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");
}
