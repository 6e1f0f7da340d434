namespace DeRa.Tokenization.ChatTemplates;

/// <summary>
/// What one template may cost. A template is text from a stranger: every bound ends in a <see cref="ChatTemplateException"/>.
/// The defaults leave room for conversations of millions of characters and stop a hostile template within seconds.
/// </summary>
public sealed record ChatTemplateLimits
{
    /// <summary>The limits used where none are given.</summary>
    public static ChatTemplateLimits Default { get; } = new();

    /// <summary>Longest template source, in UTF-16 units.</summary>
    public int MaxSourceLength { get; init; } = 1 << 20;

    /// <summary>Deepest nesting of statements and expressions in the source.</summary>
    public int MaxSyntaxDepth { get; init; } = 200;

    /// <summary>Evaluation steps of one rendering; long string operations count as several.</summary>
    public long MaxSteps { get; init; } = 10_000_000;

    /// <summary>Deepest nesting of macro calls, recursive loops, lazy filters and nested data at run time.</summary>
    public int MaxCallDepth { get; init; } = 200;

    /// <summary>Longest rendered prompt, in UTF-16 units.</summary>
    public int MaxOutputLength { get; init; } = 8 << 20;

    /// <summary>Longest string an expression may build, in UTF-16 units.</summary>
    public int MaxStringLength { get; init; } = 8 << 20;

    /// <summary>Sum of all strings and lists one rendering may build, in UTF-16 units (a list element counts as four).</summary>
    public long MaxAllocation { get; init; } = 128L << 20;

    /// <summary>Longest range; Jinja's sandbox has the same bound.</summary>
    public int MaxRangeLength { get; init; } = 100_000;

    /// <summary>Widest integer in bits: Python's integers are unbounded, these are not.</summary>
    public int MaxIntegerBits { get; init; } = 4096;
}
