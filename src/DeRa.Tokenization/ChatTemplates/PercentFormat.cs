using System.Numerics;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Python's <c>format % values</c>.</summary>
internal sealed class PercentFormat
{
    private readonly RenderContext _context;
    private readonly string _format;
    private readonly Value _values;
    private readonly StringBuilder _result = new();
    private int _at;
    private int _used;

    private PercentFormat(RenderContext context, string format, Value values)
    {
        _context = context;
        _format = format;
        _values = values;
    }

    public static string Apply(RenderContext context, string format, Value values) => new PercentFormat(context, format, values).Run();

    private string Run()
    {
        _context.Work(_format.Length);
        bool usedNames = false;
        for (_at = 0; _at < _format.Length; _at++)
        {
            if (_format[_at] != '%')
            {
                _result.Append(_format[_at]);
                continue;
            }
            _at++;
            usedNames |= Directive();
            StringMethods.CheckLength(_context, _result);
        }
        int given = _values is TupleValue tuple ? tuple.Items.Count : 1;
        if (!usedNames && _used < given && _values is not (DictValue or ListValue or UndefinedValue))
            throw _context.Error("not all arguments converted during string formatting");
        return _result.ToString();
    }

    /// <summary>Expands one directive; true if it named its value.</summary>
    private bool Directive()
    {
        Value? named = Name();
        string flags = Take(c => c is '-' or '+' or ' ' or '#' or '0');
        int width = Size();
        int precision = -1;
        if (_at < _format.Length && _format[_at] == '.')
        {
            _at++;
            precision = Math.Max(0, Size());
        }
        Take(c => c is 'h' or 'l' or 'L');
        if (_at >= _format.Length)
            throw _context.Error("incomplete format");
        char type = _format[_at];
        if (type == '%')
        {
            _result.Append('%');
            return named is not null;
        }
        if (width < 0)
        {
            flags += "-";
            width = -width;
        }
        _result.Append(Convert(named ?? Next(), type, flags, width, precision));
        return named is not null;
    }

    private Value? Name()
    {
        if (_at >= _format.Length || _format[_at] != '(')
            return null;
        int close = _format.IndexOf(')', _at);
        if (close < 0)
            throw _context.Error("incomplete format key");
        if (_values is not DictValue dict)
            throw _context.Error("format requires a mapping");
        var key = new StringValue(_format[(_at + 1)..close]);
        _at = close + 1;
        return dict.Items.TryGetValue(key, out Value? value) ? value : throw _context.Error($"the format string names '{key.Text}', which is no key");
    }

    private string Take(Func<char, bool> accept)
    {
        int start = _at;
        while (_at < _format.Length && accept(_format[_at]))
            _at++;
        return _format[start.._at];
    }

    private int Size()
    {
        if (_at < _format.Length && _format[_at] == '*')
        {
            _at++;
            return _context.Int(Next(), 0, "* wants int");
        }
        string digits = Take(char.IsAsciiDigit);
        if (digits.Length > 9)
            throw _context.Error("width too big");
        return digits.Length == 0 ? 0 : int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
    }

    private Value Next()
    {
        int index = _used++;
        if (_values is TupleValue tuple)
            return index < tuple.Items.Count ? tuple.Items[index] : throw _context.Error("not enough arguments for format string");
        return index == 0 ? _values : throw _context.Error("not enough arguments for format string");
    }

    private string Convert(Value value, char type, string flags, int width, int precision)
    {
        bool left = flags.Contains('-', StringComparison.Ordinal);
        bool zero = flags.Contains('0', StringComparison.Ordinal) && !left;
        char sign = flags.Contains('+', StringComparison.Ordinal) ? '+' : flags.Contains(' ', StringComparison.Ordinal) ? ' ' : '-';
        bool alternate = flags.Contains('#', StringComparison.Ordinal);
        switch (type)
        {
            case 's' or 'r' or 'a':
                var text = new StringValue(type == 's' ? PythonText.Str(_context, value) : PythonText.Repr(_context, value));
                return new FormatSpec(" ", left ? '<' : '>', '-', false, width, '\0', precision, 's').Apply(_context, text);
            case 'c':
                string character = value is StringValue single ? single.Text : new FormatSpec(" ", '<', '-', false, 0, '\0', -1, 'c').Apply(_context, value);
                if (CodePoints.Length(character) != 1)
                    throw _context.Error("%c requires int or char");
                return StringMethods.Pad(_context, character, width, " ", left ? '<' : '>');
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                Value integer = Integer(value, type);
                char kind = type is 'i' or 'u' ? 'd' : type;
                return new FormatSpec(zero ? "0" : " ", left ? '<' : zero ? '=' : '>', sign, alternate, width, '\0', -1, kind).Apply(_context, integer);
            case 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                if (!PythonNumbers.TryGetDouble(value, out double real))
                    throw _context.Error($"must be real number, not {value.TypeName}");
                return new FormatSpec(zero ? "0" : " ", left ? '<' : zero ? '=' : '>', sign, alternate, width, '\0', precision, type).Apply(_context, new FloatValue(real));
            default:
                throw _context.Error($"unsupported format character '{type}'");
        }
    }

    private IntValue Integer(Value value, char type)
    {
        if (PythonNumbers.TryGetInt(value, out BigInteger number))
            return new IntValue(number);
        if (value is FloatValue real && double.IsFinite(real.Value) && type is ('d' or 'i' or 'u'))
            return new IntValue(new BigInteger(real.Value));
        throw _context.Error($"%{type} format: a real number is required, not {value.TypeName}");
    }
}
