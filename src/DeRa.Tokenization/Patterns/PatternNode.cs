namespace DeRa.Tokenization;

/// <summary>How a repetition chooses its count.</summary>
internal enum RepeatMode
{
    /// <summary>As many as possible, then fewer.</summary>
    Greedy,

    /// <summary>As few as possible, then more.</summary>
    Lazy,

    /// <summary>As many as possible, never fewer.</summary>
    Possessive,
}

/// <summary>A condition on a position.</summary>
internal enum PositionTest
{
    TextStart,
    TextEnd,
    TextEndOrFinalNewline,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

/// <summary>A parsed pattern.</summary>
internal abstract record PatternNode
{
    /// <summary>How many code points it always matches, or null where that varies.</summary>
    public abstract int? Width { get; }
}

internal sealed record SetNode(CodePointSet Set) : PatternNode
{
    public override int? Width => 1;
}

internal sealed record SequenceNode(IReadOnlyList<PatternNode> Parts) : PatternNode
{
    public override int? Width => Parts.Aggregate((int?)0, (sum, part) => sum + part.Width);
}

internal sealed record AlternationNode(IReadOnlyList<PatternNode> Options) : PatternNode
{
    public override int? Width => Options.All(option => option.Width == Options[0].Width) ? Options[0].Width : null;
}

/// <summary><paramref name="Max"/> is null where there is no upper bound.</summary>
internal sealed record RepeatNode(PatternNode Body, int Min, int? Max, RepeatMode Mode) : PatternNode
{
    public override int? Width => Min == Max ? Body.Width * Min : null;
}

internal sealed record LookNode(PatternNode Body, bool Behind, bool Negative) : PatternNode
{
    public override int? Width => 0;
}

internal sealed record AtomicNode(PatternNode Body) : PatternNode
{
    public override int? Width => Body.Width;
}

internal sealed record TestNode(PositionTest Test) : PatternNode
{
    public override int? Width => 0;
}
