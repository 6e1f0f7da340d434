namespace DeRa.Tokenization;

/// <summary>Splits at the matches of a pattern, or, inverted, at what lies between them (HF <c>Split</c>, <c>Whitespace</c>).</summary>
internal sealed class PatternPreTokenizer(TextPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    protected override void Split(TextPiece piece, List<TextPiece> result)
    {
        List<Segment> segments = pattern.Segments(piece.Text.Span);
        if (invert)
            segments = segments.ConvertAll(segment => segment with { IsDelimiter = !segment.IsDelimiter });
        SplitBehaviors.Split(piece, segments, behavior, result);
    }
}

/// <summary>Splits at single characters of a class (HF <c>Digits</c>, <c>Punctuation</c>, <c>WhitespaceSplit</c>, <c>CharDelimiterSplit</c>).</summary>
internal sealed class CharacterPreTokenizer(Func<int, bool> isDelimiter, SplitBehavior behavior) : PreTokenizer
{
    protected override void Split(TextPiece piece, List<TextPiece> result)
    {
        List<Segment> segments = [];
        ReadOnlySpan<char> text = piece.Text.Span;
        int done = 0;
        for (int i = 0, length; i < text.Length; i += length)
        {
            length = CodePoints.LengthAt(text, i);
            if (!isDelimiter(CodePoints.At(text, i)))
                continue;
            if (done < i)
                segments.Add(new Segment(done, i, false));
            segments.Add(new Segment(i, i + length, true));
            done = i + length;
        }
        if (done < text.Length)
            segments.Add(new Segment(done, text.Length, false));
        SplitBehaviors.Split(piece, segments, behavior, result);
    }
}

/// <summary>Cuts into runs of a fixed number of characters (HF <c>FixedLength</c>).</summary>
internal sealed class FixedLengthPreTokenizer(int length) : PreTokenizer
{
    protected override void Split(TextPiece piece, List<TextPiece> result)
    {
        ReadOnlySpan<char> text = piece.Text.Span;
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = start;
            for (int taken = 0; taken < length && end < text.Length; taken++)
                end += CodePoints.LengthAt(text, end);
            result.Add(piece.Slice(start, end - start));
        }
    }
}
