namespace DeRa.Benchmarks;

/// <summary>One way to do a case's work.</summary>
/// <param name="Mode">Which way.</param>
/// <param name="Run">Does it once, to the end.</param>
/// <param name="Moved">What this way moves and computes.</param>
/// <param name="Needed">What the task needs at least: less than <paramref name="Moved"/> where logits are stored. The floor follows from it.</param>
internal sealed record Variant(Mode Mode, Action Run, Work Moved, Work Needed)
{
    /// <summary>A way without detours.</summary>
    public Variant(Mode mode, Action run, Work work)
        : this(mode, run, work, work)
    {
    }
}

/// <summary>A case of a workload, in the ways that are compared.</summary>
/// <param name="Description">Which case.</param>
/// <param name="Tokens">Tokens (head: rows) that one run produces, scores or prefills; 0 where none.</param>
/// <param name="Variants">The ways.</param>
internal sealed record Case(CaseDescription Description, int Tokens, IReadOnlyList<Variant> Variants);

/// <summary>A case of a workload; numbers that do not apply are null.</summary>
/// <param name="Workload">decode, prefill, score, head or load.</param>
public sealed record CaseDescription(string Workload)
{
    /// <summary>Sequences that decode together.</summary>
    public int? Batch { get; init; }

    /// <summary>Positions already in the cache.</summary>
    public int? Context { get; init; }

    /// <summary>Tokens of the prompt or text.</summary>
    public int? Tokens { get; init; }

    /// <summary>Number of λ.</summary>
    public int? Lambdas { get; init; }

    /// <summary>Rows of the output matrices.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>Hidden states that are projected.</summary>
    public int? Rows { get; init; }

    /// <summary>What is timed, where a workload has several stages.</summary>
    public string? Stage { get; init; }

    /// <summary>The case in words, without its workload.</summary>
    public string Label
    {
        get
        {
            (string Name, int? Value)[] numbers =
                [("batch", Batch), ("context", Context), ("tokens", Tokens), ("λ", Lambdas), ("vocabulary", Vocabulary), ("rows", Rows)];
            IEnumerable<string> words = numbers.Where(number => number.Value is not null).Select(number => $"{number.Name} {number.Value}");
            return string.Join(", ", Stage is null ? words : words.Append(Stage));
        }
    }
}
