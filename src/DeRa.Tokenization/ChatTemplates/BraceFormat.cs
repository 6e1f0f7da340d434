using System.Globalization;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary><c>str.format</c>: replacement fields with attribute and item access, conversions and format specifications.</summary>
internal sealed class BraceFormat
{
    private readonly RenderContext _context;
    private readonly Arguments _arguments;
    private int _automatic;
    private bool _numbered;

    private BraceFormat(RenderContext context, Arguments arguments)
    {
        _context = context;
        _arguments = arguments;
    }

    public static string Apply(RenderContext context, string format, Arguments arguments) =>
        new BraceFormat(context, arguments).Expand(format, nested: false);

    /// <summary>The items of a dict as named arguments.</summary>
    public static Arguments Named(RenderContext context, Value mapping)
    {
        if (mapping is not DictValue dict)
            throw context.Error($"format_map() argument must be a mapping, not {mapping.TypeName}");
        return new Arguments([], [.. dict.Items.Where(pair => pair.Key is StringValue).Select(pair => KeyValuePair.Create(((StringValue)pair.Key).Text, pair.Value))]);
    }

    private string Expand(string format, bool nested)
    {
        var result = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            bool isDoubled = i + 1 < format.Length && format[i + 1] == c;
            if (c is ('{' or '}') && isDoubled)
            {
                result.Append(c);
                i++;
            }
            else if (c == '}')
            {
                throw _context.Error("Single '}' encountered in format string");
            }
            else if (c == '{')
            {
                int end = FieldEnd(format, i);
                result.Append(Field(format[(i + 1)..end], nested));
                StringMethods.CheckLength(_context, result);
                i = end;
            }
            else
            {
                result.Append(c);
            }
        }
        _context.Work(format.Length);
        return result.ToString();
    }

    private int FieldEnd(string format, int start)
    {
        int depth = 0;
        for (int i = start; i < format.Length; i++)
        {
            if (format[i] == '{')
                depth++;
            else if (format[i] == '}' && --depth == 0)
                return i;
        }
        throw _context.Error("expected '}' before end of string");
    }

    private string Field(string field, bool nested)
    {
        if (nested && field.Contains('{', StringComparison.Ordinal))
            throw _context.Error("Max string recursion exceeded");
        int colon = field.IndexOf(':', StringComparison.Ordinal);
        string head = colon < 0 ? field : field[..colon];
        char conversion = '\0';
        if (head.Length >= 2 && head[^2] == '!')
        {
            conversion = head[^1];
            head = head[..^2];
        }
        Value value = Resolve(head);
        string spec = colon < 0 ? "" : Expand(field[(colon + 1)..], nested: true);
        value = conversion switch
        {
            '\0' => value,
            's' => new StringValue(PythonText.Str(_context, value)),
            'r' or 'a' => new StringValue(PythonText.Repr(_context, value)),
            _ => throw _context.Error($"Unknown conversion specifier {conversion}"),
        };
        return spec.Length == 0 ? PythonText.Str(_context, value) : FormatSpec.Parse(_context, spec).Apply(_context, value);
    }

    private Value Resolve(string path)
    {
        int at = path.AsSpan().IndexOfAny('.', '[');
        string name = at < 0 ? path : path[..at];
        Value value = Argument(name);
        while (at >= 0 && at < path.Length)
        {
            if (path[at] == '.')
            {
                int end = path.AsSpan(at + 1).IndexOfAny('.', '[');
                end = end < 0 ? path.Length : at + 1 + end;
                value = Attributes.GetAttribute(_context, value, path[(at + 1)..end]);
                at = end;
                continue;
            }
            int close = path.IndexOf(']', at);
            if (path[at] != '[' || close < 0)
                throw _context.Error("Missing ']' in format string");
            string key = path[(at + 1)..close];
            value = Attributes.GetItem(_context, value, int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? new IntValue(index) : new StringValue(key));
            at = close + 1;
        }
        return value;
    }

    private Value Argument(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            int index = _automatic;
            if (name.Length == 0 ? _numbered : _automatic > 0)
                throw _context.Error("cannot mix manual field specification and automatic field numbering");
            _numbered = name.Length > 0;
            if (!_numbered)
                _automatic++;
            else if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out index))
                throw _context.Error($"'{name}' is no index of an argument");
            if (index >= _arguments.Positional.Count)
                throw _context.Error($"Replacement index {index} out of range for positional args tuple");
            return _arguments.Positional[index];
        }
        foreach ((string key, Value value) in _arguments.Named)
        {
            if (key == name)
                return value;
        }
        throw _context.Error($"the format string names '{name}', which is no argument");
    }
}
