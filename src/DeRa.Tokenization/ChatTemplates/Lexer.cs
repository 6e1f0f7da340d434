using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>
/// Splits a template into tokens as Jinja's lexer does with <c>trim_blocks</c> and <c>lstrip_blocks</c> on: the newline after a
/// block or comment goes, and so does the indentation before one, unless <c>+</c> keeps or <c>-</c> extends it.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _open = new();
    private int _position;
    private int _line = 1;

    private Lexer(string source) => _source = source;

    /// <exception cref="ChatTemplateException">An unclosed tag, a character or string that cannot be read.</exception>
    public static List<Token> Tokenize(string source)
    {
        string normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        // Jinja drops one newline at the very end of a template.
        if (normalized.EndsWith('\n'))
            normalized = normalized[..^1];
        var lexer = new Lexer(normalized);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        bool lineStarting = true;
        while (_position < _source.Length)
        {
            int tag = FindTag(_position);
            if (tag < 0)
            {
                AddData(_source[_position..]);
                break;
            }
            char kind = _source[tag + 1];
            char sign = tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : '\0';
            string text = _source[_position..tag];
            string data = StripBefore(text, sign, kind != '{', lineStarting);
            AddData(data);
            _line += Newlines(text) - Newlines(data);
            _position = tag + (sign == '\0' ? 2 : 3);
            switch (kind)
            {
                case '#':
                    SkipComment();
                    break;
                case '{':
                    ReadTag(TokenKind.VariableBegin, TokenKind.VariableEnd, "}}");
                    break;
                default:
                    if (!TryReadRaw())
                        ReadTag(TokenKind.BlockBegin, TokenKind.BlockEnd, "%}");
                    break;
            }
            lineStarting = _source[_position - 1] == '\n';
        }
        _tokens.Add(new Token(TokenKind.End, "", _line));
    }

    private int FindTag(int from)
    {
        for (int at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }
        return -1;
    }

    private static string StripBefore(string text, char sign, bool isBlock, bool lineStarting)
    {
        if (sign == '-')
            return PythonText.TrimEnd(text);
        if (sign == '+' || !isBlock)
            return text;
        int lineStart = text.LastIndexOf('\n') + 1;
        if (lineStart == 0 && !lineStarting)
            return text;
        for (int i = lineStart; i < text.Length; i++)
        {
            if (!PythonText.IsSpace(text[i]))
                return text;
        }
        return text[..lineStart];
    }

    private void AddData(string text)
    {
        if (text.Length > 0)
            _tokens.Add(new Token(TokenKind.Data, text, _line));
        _line += Newlines(text);
    }

    private void SkipComment()
    {
        int end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
            throw new ChatTemplateException(_line, "comment", "'{#' without '#}'");
        int start = _position;
        char sign = end > _position ? _source[end - 1] : '\0';
        _position = end + 2;
        SkipAfterTag(sign);
        _line += Newlines(_source.AsSpan(start, _position - start));
    }

    /// <summary>Skips what the closing sign of a block, comment or raw section takes with it.</summary>
    private void SkipAfterTag(char sign)
    {
        if (sign == '-')
            SkipSpace();
        else if (sign != '+' && _position < _source.Length && _source[_position] == '\n')
            _position++;
    }

    private void SkipSpace()
    {
        while (_position < _source.Length && PythonText.IsSpace(_source[_position]))
            _position++;
    }

    /// <summary>Reads <c>{% raw %} … {% endraw %}</c> as text, if that is what stands here.</summary>
    private bool TryReadRaw()
    {
        int start = _position;
        int startLine = _line;
        if (!SkipWord("raw", allowPlus: false, out char sign))
        {
            _position = start;
            return false;
        }
        if (sign == '-')
            SkipSpace();
        _line += Newlines(_source.AsSpan(start, _position - start));
        int textStart = _position;
        for (int tag = _source.IndexOf("{%", textStart, StringComparison.Ordinal); tag >= 0; tag = _source.IndexOf("{%", tag + 1, StringComparison.Ordinal))
        {
            _position = tag + 2;
            char before = _position < _source.Length && _source[_position] is '-' or '+' ? _source[_position++] : '\0';
            if (!SkipWord("endraw", allowPlus: true, out sign))
                continue;
            string text = _source[textStart..tag];
            string data = StripBefore(text, before, isBlock: true, _source[textStart - 1] == '\n');
            AddData(data);
            SkipAfterTag(sign);
            _line += Newlines(_source.AsSpan(tag, _position - tag)) + Newlines(text) - Newlines(data);
            return true;
        }
        throw new ChatTemplateException(startLine, "{% raw %}", "missing {% endraw %}");
    }

    private bool SkipWord(string word, bool allowPlus, out char sign)
    {
        sign = '\0';
        SkipSpace();
        if (string.CompareOrdinal(_source, _position, word, 0, word.Length) != 0)
            return false;
        _position += word.Length;
        SkipSpace();
        if (_position < _source.Length && (_source[_position] == '-' || (allowPlus && _source[_position] == '+')))
            sign = _source[_position++];
        if (string.CompareOrdinal(_source, _position, "%}", 0, 2) != 0)
            return false;
        _position += 2;
        return true;
    }

    private void ReadTag(TokenKind begin, TokenKind end, string closing)
    {
        int tagLine = _line;
        _tokens.Add(new Token(begin, "", _line));
        _open.Clear();
        while (true)
        {
            int start = _position;
            SkipSpace();
            _line += Newlines(_source.AsSpan(start, _position - start));
            if (_position >= _source.Length)
                throw new ChatTemplateException(tagLine, begin == TokenKind.BlockBegin ? "block" : "expression", $"missing '{closing}'");
            if (_open.Count == 0 && TryCloseTag(end, closing))
                return;
            ReadToken();
        }
    }

    private bool TryCloseTag(TokenKind end, string closing)
    {
        char sign = _source[_position];
        bool signed = sign == '-' || (sign == '+' && end == TokenKind.BlockEnd);
        int at = _position + (signed ? 1 : 0);
        if (string.CompareOrdinal(_source, at, closing, 0, 2) != 0)
            return false;
        _tokens.Add(new Token(end, "", _line));
        int start = _position;
        _position = at + 2;
        if (end == TokenKind.BlockEnd)
            SkipAfterTag(signed ? sign : '\0');
        else if (signed)
            SkipSpace();
        _line += Newlines(_source.AsSpan(start, _position - start));
        return true;
    }

    private void ReadToken()
    {
        char first = _source[_position];
        if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (IsNameStart(_position))
        {
            int start = _position;
            while (_position < _source.Length && IsNamePart(_position))
                _position += char.IsSurrogatePair(_source, _position) ? 2 : 1;
            _tokens.Add(new Token(TokenKind.Name, _source[start.._position], _line));
        }
        else if (first is '\'' or '"')
        {
            ReadString(first);
        }
        else
        {
            ReadOperator();
        }
    }

    private bool IsNameStart(int at) => _source[at] == '_' || (IsNamePart(at) && !IsDigitOrMark(at));

    private bool IsNamePart(int at) =>
        _source[at] == '_' || (char.IsSurrogatePair(_source, at) ? Rune.IsLetterOrDigit(new Rune(_source[at], _source[at + 1])) : char.IsLetterOrDigit(_source[at]));

    private bool IsDigitOrMark(int at) => char.IsDigit(_source, at);

    private void ReadNumber()
    {
        int start = _position;
        bool afterDot = start > 0 && _source[start - 1] == '.';
        int end = NumberScanner.ScanFloat(_source, start);
        if (end > start && !afterDot)
        {
            _position = end;
            _tokens.Add(new Token(TokenKind.Float, _source[start..end].Replace("_", "", StringComparison.Ordinal), _line));
            return;
        }
        _position = NumberScanner.ScanInteger(_source, start);
        _tokens.Add(new Token(TokenKind.Integer, _source[start.._position].Replace("_", "", StringComparison.Ordinal), _line));
    }

    private void ReadString(char quote)
    {
        int start = _position + 1;
        int end = start;
        while (end < _source.Length && _source[end] != quote)
            end += _source[end] == '\\' ? 2 : 1;
        if (end >= _source.Length)
            throw new ChatTemplateException(_line, "string literal", $"missing closing {quote}");
        string body = _source[start..end];
        _tokens.Add(new Token(TokenKind.String, StringEscapes.Resolve(body, _line), _line));
        _line += Newlines(body);
        _position = end + 1;
    }

    private void ReadOperator()
    {
        foreach (string candidate in Operators)
        {
            if (string.CompareOrdinal(_source, _position, candidate, 0, candidate.Length) != 0)
                continue;
            TrackBracket(candidate[0]);
            _tokens.Add(new Token(TokenKind.Operator, candidate, _line));
            _position += candidate.Length;
            return;
        }
        throw new ChatTemplateException(_line, "expression", $"unexpected character '{_source[_position]}'");
    }

    private void TrackBracket(char bracket)
    {
        switch (bracket)
        {
            case '(':
                _open.Push(')');
                break;
            case '[':
                _open.Push(']');
                break;
            case '{':
                _open.Push('}');
                break;
            case ')' or ']' or '}':
                if (!_open.TryPop(out char expected))
                    throw new ChatTemplateException(_line, "expression", $"unexpected '{bracket}'");
                if (expected != bracket)
                    throw new ChatTemplateException(_line, "expression", $"unexpected '{bracket}', expected '{expected}'");
                break;
        }
    }

    private static int Newlines(ReadOnlySpan<char> text) => text.Count('\n');
}
