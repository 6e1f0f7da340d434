using System.Globalization;

namespace DeRa.Tokenization;

/// <summary>Parses escapes that stand for characters, and bracket expressions with nesting, ranges, POSIX names and <c>&amp;&amp;</c>.</summary>
internal sealed class CharacterClassParser(string pattern)
{
    private const int DeepestNesting = 20;

    private int depth;

    /// <summary>The set of the bracket expression whose "[" is at <paramref name="position"/>; leaves the position after its "]".</summary>
    public CodePointSet Bracket(ref int position)
    {
        if (++depth > DeepestNesting)
            throw Fault(position, $"at most {DeepestNesting} nested brackets", "more");
        int start = position++;
        bool negated = Take(ref position, '^');
        CodePointSet? intersection = null;
        List<CodePointSet> union = [];
        // A "]" right at the start is an ordinary character.
        for (bool first = true; ; first = false)
        {
            if (position >= pattern.Length)
                throw Fault(start, "\"]\"", "the end of the pattern");
            if (pattern[position] == ']' && !first)
                break;
            if (string.CompareOrdinal(pattern, position, "&&", 0, 2) == 0)
            {
                position += 2;
                intersection = Intersect(intersection, union);
                union = [];
            }
            else
            {
                union.Add(Item(ref position));
            }
        }
        position++;
        depth--;
        CodePointSet set = Intersect(intersection, union);
        return negated ? set.Not() : set;
    }

    /// <summary>The set of the escape whose backslash is at <paramref name="position"/>, and its character where it is only one.</summary>
    public CodePointSet Escape(ref int position, out int? single)
    {
        single = null;
        position++;
        if (position >= pattern.Length)
            throw Fault(position, "a character after \"\\\"", "the end of the pattern");
        char unit = pattern[position];
        if (unit is 'p' or 'P')
            return Property(ref position, negated: unit == 'P');
        CodePointSet? set = unit switch
        {
            's' => UnicodeProperties.Space,
            'S' => UnicodeProperties.Space.Not(),
            'd' => UnicodeProperties.Digit,
            'D' => UnicodeProperties.Digit.Not(),
            'w' => UnicodeProperties.Word,
            'W' => UnicodeProperties.Word.Not(),
            'h' => UnicodeProperties.HexDigit,
            'H' => UnicodeProperties.HexDigit.Not(),
            'N' => UnicodeProperties.NotNewline,
            'O' => UnicodeProperties.Any,
            _ => null,
        };
        if (set is not null)
        {
            position++;
            return set;
        }
        single = Character(ref position);
        return CodePointSet.Range(single.Value, single.Value);
    }

    private static CodePointSet Intersect(CodePointSet? left, List<CodePointSet> right) =>
        left is null ? CodePointSet.Union(right) : left.And(CodePointSet.Union(right));

    private CodePointSet Item(ref int position)
    {
        if (pattern[position] == '[')
            return Posix(ref position) ?? Bracket(ref position);
        CodePointSet set = One(ref position, out int? first);
        bool isRange = first is not null && position + 1 < pattern.Length && pattern[position] == '-' && pattern[position + 1] is not (']' or '[');
        if (!isRange)
            return set;
        int dash = position++;
        One(ref position, out int? last);
        if (last is null)
        {
            // "a-\d" is an "a", a "-" and the digits.
            position = dash;
            return set;
        }
        return first <= last
            ? CodePointSet.Range(first.Value, last.Value)
            : throw Fault(dash, "a range in ascending order", $"U+{first:X4} to U+{last:X4}");
    }

    private CodePointSet One(ref int position, out int? single)
    {
        if (pattern[position] == '\\')
        {
            // Inside brackets \b is a backspace.
            if (position + 1 < pattern.Length && pattern[position + 1] == 'b')
            {
                position += 2;
                single = '\b';
                return CodePointSet.Range('\b', '\b');
            }
            return Escape(ref position, out single);
        }
        int codePoint = CodePoints.At(pattern, position);
        position += CodePoints.LengthAt(pattern, position);
        single = codePoint;
        return CodePointSet.Range(codePoint, codePoint);
    }

    private CodePointSet? Posix(ref int position)
    {
        if (string.CompareOrdinal(pattern, position, "[:", 0, 2) != 0)
            return null;
        int end = pattern.IndexOf(":]", position + 2, StringComparison.Ordinal);
        if (end < 0)
            return null;
        bool negated = pattern[position + 2] == '^';
        string name = pattern[(position + (negated ? 3 : 2))..end];
        if (name.Length == 0 || !name.All(char.IsAsciiLetter))
            return null;
        CodePointSet set = UnicodeProperties.FindClass(name) ?? throw Fault(position, "a supported POSIX bracket", $"\"[:{name}:]\"");
        position = end + 2;
        return negated ? set.Not() : set;
    }

    private CodePointSet Property(ref int position, bool negated)
    {
        int open = ++position;
        int end = open < pattern.Length && pattern[open] == '{' ? pattern.IndexOf('}', open) : -1;
        if (end < 0)
            throw Fault(open, "\"{name}\" after \\p", "none");
        string name = pattern[(open + 1)..end];
        position = end + 1;
        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }
        CodePointSet set = UnicodeProperties.Find(name) ?? throw Fault(open, "a supported Unicode property", $"\"{name}\"");
        return negated ? set.Not() : set;
    }

    /// <summary>An escape that stands for one character; the position is at the character after the backslash.</summary>
    private int Character(ref int position)
    {
        char unit = pattern[position];
        switch (unit)
        {
            case 'x' when position + 1 < pattern.Length && pattern[position + 1] == '{':
                int end = pattern.IndexOf('}', position);
                int braced = Hex(position + 2, (end < 0 ? pattern.Length : end) - position - 2);
                position = end + 1;
                return braced;
            case 'x':
                int digits = position + 2 < pattern.Length && char.IsAsciiHexDigit(pattern[position + 2]) ? 2 : 1;
                int narrow = Hex(position + 1, digits);
                position += 1 + digits;
                return narrow;
            case 'u':
                int wide = Hex(position + 1, 4);
                position += 5;
                return wide;
            default:
                int codePoint = unit switch
                {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'f' => '\f',
                    'v' => '\v',
                    'a' => '\a',
                    'e' => 0x1B,
                    '0' => 0,
                    _ => CodePoints.At(pattern, position),
                };
                position += CodePoints.LengthAt(pattern, position);
                return codePoint;
        }
    }

    private int Hex(int start, int length)
    {
        string digits = start + length <= pattern.Length && length > 0 ? pattern.Substring(start, length) : "";
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && value is >= 0 and <= CodePoints.Last
            ? value
            : throw Fault(start, "a hexadecimal code point", $"\"{digits}\"");
    }

    private bool Take(ref int position, char unit)
    {
        if (position >= pattern.Length || pattern[position] != unit)
            return false;
        position++;
        return true;
    }

    private TokenizerException Fault(int at, string expected, string found) =>
        new($"regular expression \"{pattern}\", position {at}: expected {expected}, found {found}");
}
