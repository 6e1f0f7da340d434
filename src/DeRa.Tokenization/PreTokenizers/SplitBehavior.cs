namespace DeRa.Tokenization;

/// <summary>What becomes of the delimiters that a split finds (HF <c>SplitDelimiterBehavior</c>).</summary>
internal enum SplitBehavior
{
    /// <summary>Dropped.</summary>
    Removed,

    /// <summary>Pieces of their own.</summary>
    Isolated,

    /// <summary>Joined to the piece before.</summary>
    MergedWithPrevious,

    /// <summary>Joined to the piece after.</summary>
    MergedWithNext,

    /// <summary>Neighbouring delimiters form one piece.</summary>
    Contiguous,
}

/// <summary>A stretch of a text and whether it is a delimiter; a list of them covers the text in order.</summary>
internal readonly record struct Segment(int Start, int End, bool IsDelimiter);

/// <summary>Turns segments into pieces (huggingface/tokenizers <c>NormalizedString::split</c>).</summary>
internal static class SplitBehaviors
{
    public static void Split(TextPiece piece, List<Segment> segments, SplitBehavior behavior, List<TextPiece> result)
    {
        switch (behavior)
        {
            case SplitBehavior.Removed:
                foreach (Segment segment in segments)
                {
                    if (!segment.IsDelimiter)
                        Add(piece, segment.Start, segment.End, result);
                }
                break;
            case SplitBehavior.Isolated:
                foreach (Segment segment in segments)
                    Add(piece, segment.Start, segment.End, result);
                break;
            case SplitBehavior.Contiguous:
                Join(piece, segments, (previous, current) => previous.IsDelimiter == current.IsDelimiter, result);
                break;
            case SplitBehavior.MergedWithPrevious:
                Join(piece, segments, (previous, current) => current.IsDelimiter && !previous.IsDelimiter, result);
                break;
            default:
                Join(piece, segments, (previous, current) => previous.IsDelimiter && !current.IsDelimiter, result);
                break;
        }
    }

    /// <summary>Starts a new piece wherever two neighbours do not belong together.</summary>
    private static void Join(TextPiece piece, List<Segment> segments, Func<Segment, Segment, bool> together, List<TextPiece> result)
    {
        int start = 0;
        for (int i = 1; i <= segments.Count; i++)
        {
            if (i < segments.Count && together(segments[i - 1], segments[i]))
                continue;
            Add(piece, segments[start].Start, segments[i - 1].End, result);
            start = i;
        }
    }

    private static void Add(TextPiece piece, int start, int end, List<TextPiece> result)
    {
        if (start < end)
            result.Add(piece.Slice(start, end - start));
    }
}
