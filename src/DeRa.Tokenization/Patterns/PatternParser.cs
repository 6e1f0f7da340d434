using System.Globalization;

namespace DeRa.Tokenization;

/// <summary>
/// Parses the regular expressions of tokenizer.json files: Oniguruma syntax without captures' contents (groups only group), back-references,
/// subexpression calls and conditionals, which are refused by name.
/// </summary>
internal sealed class PatternParser
{
    /// <summary>Published patterns stay below 10,000 characters and 5 levels.</summary>
    private const int LongestPattern = 65_536;
    private const int DeepestNesting = 50;
    private const int LargestCount = 1_000;

    private readonly string pattern;
    private readonly CharacterClassParser classes;
    private int position;
    private int depth;
    private int repeats;
    private bool ignoreCase;
    private bool dotMatchesNewline;
    private bool extended;

    private PatternParser(string pattern)
    {
        this.pattern = pattern;
        classes = new CharacterClassParser(pattern);
    }

    /// <exception cref="TokenizerException">The pattern is malformed or uses something unsupported.</exception>
    public static PatternNode Parse(string pattern)
    {
        if (pattern.Length > LongestPattern)
            throw new TokenizerException($"regular expression: expected at most {LongestPattern} characters, found {pattern.Length}");
        PatternParser parser = new(CodePoints.WellFormed(pattern));
        PatternNode node = parser.Alternation();
        return parser.AtEnd ? node : throw parser.Fault("the end of the pattern", "an unmatched \")\"");
    }

    private bool AtEnd => position >= pattern.Length;

    private PatternNode Alternation()
    {
        if (++depth > DeepestNesting)
            throw Fault($"at most {DeepestNesting} nested groups", "more");
        (bool, bool, bool) options = (ignoreCase, dotMatchesNewline, extended);
        List<PatternNode> branches = [Sequence()];
        while (TryTake('|'))
            branches.Add(Sequence());
        (ignoreCase, dotMatchesNewline, extended) = options;
        depth--;
        return branches.Count == 1 ? branches[0] : new AlternationNode(branches);
    }

    private PatternNode Sequence()
    {
        List<PatternNode> parts = [];
        while (!AtEnd && pattern[position] is not ('|' or ')'))
        {
            if (extended && TrySkipExtended())
                continue;
            parts.Add(Quantified(Atom()));
        }
        return parts.Count == 1 ? parts[0] : new SequenceNode(parts);
    }

    private bool TrySkipExtended()
    {
        if (char.IsWhiteSpace(pattern[position]))
        {
            position++;
            return true;
        }
        if (pattern[position] != '#')
            return false;
        int end = pattern.IndexOf('\n', position);
        position = end < 0 ? pattern.Length : end + 1;
        return true;
    }

    /// <summary>One item, without its quantifiers.</summary>
    private PatternNode Atom()
    {
        char unit = pattern[position];
        switch (unit)
        {
            case '(':
                return Group();
            case '[':
                CodePointSet set = classes.Bracket(ref position);
                return new SetNode(ignoreCase ? set.IgnoringCase() : set);
            case '.':
                position++;
                return new SetNode(dotMatchesNewline ? UnicodeProperties.Any : UnicodeProperties.NotNewline);
            case '^':
                position++;
                return new TestNode(PositionTest.LineStart);
            case '$':
                position++;
                return new TestNode(PositionTest.LineEnd);
            case '*' or '+' or '?':
                throw Fault("something to repeat", $"\"{unit}\"");
            case '\\':
                return Escape();
            default:
                int codePoint = CodePoints.At(pattern, position);
                position += CodePoints.LengthAt(pattern, position);
                return Literal(codePoint);
        }
    }

    private PatternNode Group()
    {
        position++;
        if (!TryTake('?'))
            return Closed(Alternation());
        if (TryTake(':'))
            return Closed(Alternation());
        if (TryTake('='))
            return Closed(new LookNode(Alternation(), Behind: false, Negative: false));
        if (TryTake('!'))
            return Closed(new LookNode(Alternation(), Behind: false, Negative: true));
        if (TryTake('>'))
            return Closed(new AtomicNode(Alternation()));
        if (TryTake("<="))
            return Closed(new LookNode(Alternation(), Behind: true, Negative: false));
        if (TryTake("<!"))
            return Closed(new LookNode(Alternation(), Behind: true, Negative: true));
        if (TryTake('<'))
        {
            int nameEnd = pattern.IndexOf('>', position);
            position = nameEnd < 0 ? throw Fault("\">\" after a group name", "none") : nameEnd + 1;
            return Closed(Alternation());
        }
        return OptionGroup();
    }

    /// <summary><c>(?i-m:…)</c>, or <c>(?i)</c>, which holds to the end of the group around it, further alternatives included.</summary>
    private PatternNode OptionGroup()
    {
        (bool, bool, bool) before = (ignoreCase, dotMatchesNewline, extended);
        bool on = true;
        for (; !AtEnd && pattern[position] is not (':' or ')'); position++)
        {
            switch (pattern[position])
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    ignoreCase = on;
                    break;
                case 'm':
                    dotMatchesNewline = on;
                    break;
                case 'x':
                    extended = on;
                    break;
                default:
                    throw Fault("a group form out of (?: (?= (?! (?<= (?<! (?> (?i) (?m) (?x)", $"\"(?{pattern[position]}\"");
            }
        }
        if (TryTake(':'))
        {
            PatternNode body = Closed(Alternation());
            (ignoreCase, dotMatchesNewline, extended) = before;
            return body;
        }
        TryTake(')');
        return Alternation();
    }

    private PatternNode Closed(PatternNode body) =>
        TryTake(')') ? body : throw Fault("\")\"", AtEnd ? "the end of the pattern" : $"\"{pattern[position]}\"");

    private PatternNode Quantified(PatternNode atom)
    {
        while (!AtEnd)
        {
            int start = position;
            int min, quantifierEnd;
            int? max;
            bool interval = false;
            switch (pattern[position])
            {
                case '*':
                    (min, max, quantifierEnd) = (0, null, position + 1);
                    break;
                case '+':
                    (min, max, quantifierEnd) = (1, null, position + 1);
                    break;
                case '?':
                    (min, max, quantifierEnd) = (0, 1, position + 1);
                    break;
                case '{' when TryInterval(out min, out max, out quantifierEnd):
                    interval = true;
                    break;
                default:
                    return atom;
            }
            position = quantifierEnd;
            RepeatMode mode = RepeatMode.Greedy;
            // As in Ruby: "{n}?" is an optional "{n}", and an interval followed by "+" is a repeated interval.
            if (!(interval && min == max) && TryTake('?'))
                mode = RepeatMode.Lazy;
            else if (!interval && TryTake('+'))
                mode = RepeatMode.Possessive;
            if (++repeats > LargestCount)
                throw Fault($"at most {LargestCount} repetitions", $"one more at {start}");
            atom = new RepeatNode(atom, min, max, mode);
        }
        return atom;
    }

    private bool TryInterval(out int min, out int? max, out int end)
    {
        (min, max) = (0, null);
        end = pattern.IndexOf('}', position);
        if (end < 0)
            return false;
        string[] bounds = pattern[(position + 1)..end].Split(',');
        end++;
        if (bounds.Length > 2 || Array.TrueForAll(bounds, bound => bound.Length == 0))
            return false;
        if (!TryCount(bounds[0], whenEmpty: 0, out int? low) || !TryCount(bounds[^1], whenEmpty: null, out max))
            return false;
        min = low!.Value;
        if (min > LargestCount || max > LargestCount || max < min)
            throw Fault($"a repetition count of at most {LargestCount}, lower bound first", pattern[position..end]);
        return true;
    }

    private static bool TryCount(string text, int? whenEmpty, out int? count)
    {
        count = whenEmpty;
        if (text.Length == 0)
            return true;
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value);
        count = value;
        return isNumber;
    }

    private PatternNode Escape()
    {
        char unit = position + 1 < pattern.Length ? pattern[position + 1] : throw Fault("a character after \"\\\"", "the end of the pattern");
        PositionTest? test = unit switch
        {
            'A' => PositionTest.TextStart,
            'z' => PositionTest.TextEnd,
            'Z' => PositionTest.TextEndOrFinalNewline,
            'b' => PositionTest.WordBoundary,
            'B' => PositionTest.NotWordBoundary,
            _ => null,
        };
        if (test is not null || unit == 'R')
        {
            position += 2;
            return test is { } found ? new TestNode(found) : Newline();
        }
        if (unit is (>= '1' and <= '9') or 'k' or 'g' or 'K' or 'G' or 'X' or 'y' or 'Y')
            throw Fault("no back-reference, call or grapheme escape", $"\"\\{unit}\"");
        CodePointSet set = classes.Escape(ref position, out int? single);
        return single is { } codePoint ? Literal(codePoint) : new SetNode(ignoreCase ? set.IgnoringCase() : set);
    }

    /// <summary><c>\R</c>: CR LF as one, or any single line break.</summary>
    private static AtomicNode Newline() => new(new AlternationNode(
    [
        new SequenceNode([new SetNode(CodePointSet.Range('\r', '\r')), new SetNode(CodePointSet.Range('\n', '\n'))]),
        new SetNode(new CodePointSet(codePoint => codePoint is (>= '\n' and <= '\r') or 0x85 or 0x2028 or 0x2029)),
    ]));

    private SetNode Literal(int codePoint)
    {
        CodePointSet set = CodePointSet.Range(codePoint, codePoint);
        return new SetNode(ignoreCase ? set.IgnoringCase() : set);
    }

    private bool TryTake(char unit)
    {
        if (AtEnd || pattern[position] != unit)
            return false;
        position++;
        return true;
    }

    private bool TryTake(string text)
    {
        if (string.CompareOrdinal(pattern, position, text, 0, text.Length) != 0)
            return false;
        position += text.Length;
        return true;
    }

    private TokenizerException Fault(string expected, string found) =>
        new($"regular expression \"{pattern}\", position {position}: expected {expected}, found {found}");
}
