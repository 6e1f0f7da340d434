using System.Globalization;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Python's <c>json.dumps</c>, as Hugging Face's <c>tojson</c> calls it: no HTML escaping, non-ASCII text as it is.</summary>
internal sealed class JsonText
{
    private readonly RenderContext _context;
    private readonly StringBuilder _result = new();
    private readonly string? _indent;
    private readonly string _itemSeparator;
    private readonly string _keySeparator;
    private readonly bool _ensureAscii;
    private readonly bool _sortKeys;

    private JsonText(RenderContext context, string? indent, string itemSeparator, string keySeparator, bool ensureAscii, bool sortKeys)
    {
        _context = context;
        _indent = indent;
        _itemSeparator = itemSeparator;
        _keySeparator = keySeparator;
        _ensureAscii = ensureAscii;
        _sortKeys = sortKeys;
    }

    /// <summary>The filter with its arguments <c>ensure_ascii</c>, <c>indent</c>, <c>separators</c> and <c>sort_keys</c>.</summary>
    public static StringValue Filter(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        string? indent = Indent(context, bound[1]);
        string itemSeparator = indent is null ? ", " : ",";
        string keySeparator = ": ";
        if (bound[2] is not (null or NoneValue))
        {
            List<Value> separators = PythonSequences.ToList(context, bound[2]!);
            if (separators.Count != 2)
                throw context.Error("separators must be a pair of strings");
            itemSeparator = context.Text(separators[0], "item separator");
            keySeparator = context.Text(separators[1], "key separator");
        }
        var json = new JsonText(context, indent, itemSeparator, keySeparator, context.Flag(bound[0]), context.Flag(bound[3]));
        json.Write(value, 0);
        return context.NewString(json._result.ToString());
    }

    private static string? Indent(RenderContext context, Value? value)
    {
        if (value is null or NoneValue)
            return null;
        if (value is StringValue text)
            return text.Text;
        int width = Math.Max(0, context.Int(value, 0, "indent"));
        context.AllocateString(width);
        return new string(' ', width);
    }

    private void Write(Value value, int depth)
    {
        _context.Step();
        StringMethods.CheckLength(_context, _result);
        switch (value)
        {
            case StringValue text:
                WriteString(text.Text);
                break;
            case NoneValue or BoolValue or IntValue or FloatValue:
                _result.Append(Scalar(value));
                break;
            case DictValue dict:
                WriteObject(dict, depth);
                break;
            case SequenceValue sequence:
                WriteItems(sequence.Items, depth, '[', ']', (item, inner) => Write(item, inner));
                break;
            default:
                throw _context.Error($"Object of type {value.TypeName} is not JSON serializable");
        }
    }

    private string Scalar(Value value) => value switch
    {
        NoneValue => "null",
        BoolValue boolean => boolean.Value ? "true" : "false",
        FloatValue { Value: double.NaN } => "NaN",
        FloatValue { Value: double.PositiveInfinity } => "Infinity",
        FloatValue { Value: double.NegativeInfinity } => "-Infinity",
        _ => PythonText.Str(_context, value),
    };

    private void WriteObject(DictValue dict, int depth)
    {
        List<KeyValuePair<Value, Value>> pairs = [.. dict.Items];
        if (_sortKeys)
            pairs = Sorting.Sort(_context, pairs, pair => pair.Key, reverse: false);
        WriteItems(pairs, depth, '{', '}', (pair, inner) =>
        {
            if (pair.Key is not (StringValue or NoneValue or BoolValue or IntValue or FloatValue))
                throw _context.Error($"keys must be str, int, float, bool or None, not {pair.Key.TypeName}");
            WriteString(pair.Key is StringValue name ? name.Text : Scalar(pair.Key));
            _result.Append(_keySeparator);
            Write(pair.Value, inner);
        });
    }

    private void WriteItems<T>(IReadOnlyList<T> items, int depth, char open, char close, Action<T, int> write)
    {
        _result.Append(open);
        if (items.Count > 0)
        {
            _context.EnterCall();
            for (int i = 0; i < items.Count; i++)
            {
                if (i > 0)
                    _result.Append(_itemSeparator);
                WriteLineStart(depth + 1);
                write(items[i], depth + 1);
            }
            WriteLineStart(depth);
            _context.LeaveCall();
        }
        _result.Append(close);
    }

    private void WriteLineStart(int depth)
    {
        if (_indent is null)
            return;
        _result.Append('\n');
        _context.AllocateString((long)_indent.Length * depth);
        for (int i = 0; i < depth; i++)
            _result.Append(_indent);
        StringMethods.CheckLength(_context, _result);
    }

    private void WriteString(string text)
    {
        _context.Work(text.Length);
        _result.Append('"');
        foreach (char c in text)
        {
            int named = "\"\\\n\r\t\f\b".IndexOf(c, StringComparison.Ordinal);
            if (named >= 0)
                _result.Append('\\').Append("\"\\nrtfb"[named]);
            else if (c < ' ' || (_ensureAscii && c > '~'))
                _result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                _result.Append(c);
        }
        _result.Append('"');
    }
}
