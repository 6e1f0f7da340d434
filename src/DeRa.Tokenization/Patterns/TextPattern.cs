using System.Text;

namespace DeRa.Tokenization;

/// <summary>What a Split or Replace looks for: a fixed text or a regular expression.</summary>
internal sealed class TextPattern
{
    private readonly string literal = "";
    private readonly PatternProgram? program;

    private TextPattern(string literal) => this.literal = literal;

    private TextPattern(PatternProgram program) => this.program = program;

    /// <summary>Whether every match is exactly one UTF-16 unit long and depends on that unit alone.</summary>
    public bool IsSingleUnit => literal.Length == 1;

    /// <summary>A fixed text. An empty one matches wherever an empty regular expression does.</summary>
    public static TextPattern Literal(string text) => text.Length == 0 ? Regex("") : new TextPattern(text);

    /// <exception cref="TokenizerException">The pattern is malformed or uses something unsupported.</exception>
    public static TextPattern Regex(string pattern) => new(new PatternProgram(PatternParser.Parse(pattern)));

    /// <summary>The text as matches (delimiters) and what lies between them, in order.</summary>
    public List<Segment> Segments(ReadOnlySpan<char> text)
    {
        List<Segment> segments = [];
        int done = 0;
        if (text.IsEmpty)
            return segments;
        if (program is null)
        {
            for (int at; (at = text[done..].IndexOf(literal, StringComparison.Ordinal)) >= 0;)
                done = AddMatch(segments, done, done + at, done + at + literal.Length);
        }
        else
        {
            done = AddMatches(segments, new PatternMatcher(program, text), text);
        }
        if (done < text.Length)
            segments.Add(new Segment(done, text.Length, false));
        return segments;
    }

    public string Replace(string text, string content)
    {
        if (program is null && content.Length <= literal.Length)
            return text.Replace(literal, content, StringComparison.Ordinal);
        StringBuilder result = new(text.Length);
        foreach (Segment segment in Segments(text))
        {
            if (segment.IsDelimiter)
                result.Append(content);
            else
                result.Append(text, segment.Start, segment.End - segment.Start);
            ExpansionLimit.Check(result.Length);
        }
        return result.ToString();
    }

    /// <summary>All matches from left to right; an empty one right behind another match does not count.</summary>
    private static int AddMatches(List<Segment> segments, PatternMatcher matcher, ReadOnlySpan<char> text)
    {
        int done = 0;
        int from = 0;
        int? lastEnd = null;
        while (from <= text.Length && matcher.TryFind(from, out int start, out int end))
        {
            if (start == end && lastEnd == end)
            {
                from += from < text.Length ? CodePoints.LengthAt(text, from) : 1;
                continue;
            }
            done = AddMatch(segments, done, start, end);
            lastEnd = from = end;
        }
        return done;
    }

    private static int AddMatch(List<Segment> segments, int done, int start, int end)
    {
        if (done < start)
            segments.Add(new Segment(done, start, false));
        segments.Add(new Segment(start, end, true));
        return end;
    }
}
