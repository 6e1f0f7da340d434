using System.Globalization;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>How Python prints values: <c>str()</c>, <c>repr()</c>, and what it counts as white space.</summary>
internal static class PythonText
{
    /// <summary><c>str.isspace</c> of one character: .NET's white space and the four separators U+001C to U+001F.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static string TrimStart(string text)
    {
        int start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return text[start..];
    }

    public static string TrimEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    public static string Trim(string text) => TrimEnd(TrimStart(text));

    /// <summary><c>str(value)</c>.</summary>
    public static string Str(RenderContext context, Value value)
    {
        switch (value)
        {
            case StringValue text:
                return text.Text;
            case UndefinedValue:
                return "";
            case IntValue number:
                context.Work(number.Value.GetBitLength());
                return number.Value.ToString(CultureInfo.InvariantCulture);
        }
        var text2 = new StringBuilder();
        AppendRepr(context, text2, value);
        context.AllocateString(text2.Length);
        return text2.ToString();
    }

    /// <summary><c>repr(value)</c>.</summary>
    public static string Repr(RenderContext context, Value value)
    {
        var text = new StringBuilder();
        AppendRepr(context, text, value);
        context.AllocateString(text.Length);
        return text.ToString();
    }

    private static void AppendRepr(RenderContext context, StringBuilder text, Value value)
    {
        context.Step();
        if (text.Length > context.Limits.MaxStringLength)
            throw context.Error($"a string exceeds the limit of {context.Limits.MaxStringLength} characters");
        switch (value)
        {
            case NoneValue:
                text.Append("None");
                break;
            case BoolValue boolean:
                text.Append(boolean.Value ? "True" : "False");
                break;
            case IntValue number:
                text.Append(Str(context, number));
                break;
            case FloatValue number:
                text.Append(FloatText.Repr(number.Value));
                break;
            case StringValue { IsMarkup: true } markup:
                text.Append("Markup(");
                AppendQuoted(context, text, markup.Text);
                text.Append(')');
                break;
            case StringValue plain:
                AppendQuoted(context, text, plain.Text);
                break;
            case UndefinedValue:
                text.Append("Undefined");
                break;
            case FunctionValue function:
                text.Append(CultureInfo.InvariantCulture, $"<function {function.Name}>");
                break;
            case MacroValue macro:
                text.Append(CultureInfo.InvariantCulture, $"<Macro '{macro.Name}'>");
                break;
            case LoopValue loop:
                text.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index + 1}/{loop.Length(context)}>");
                break;
            case RangeValue range:
                text.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}");
                text.Append(range.Step == 1 ? ")" : $", {range.Step.ToString(CultureInfo.InvariantCulture)})");
                break;
            case SequenceValue or DictValue or DictViewValue or NamespaceValue:
                context.EnterCall();
                AppendContainer(context, text, value);
                context.LeaveCall();
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"<{value.TypeName} object>");
                break;
        }
    }

    private static void AppendContainer(RenderContext context, StringBuilder text, Value value)
    {
        switch (value)
        {
            case ListValue list:
                AppendItems(context, text, list.Items, "[", "]");
                break;
            case SequenceValue tuple:
                AppendItems(context, text, tuple.Items, "(", tuple.Items.Count == 1 ? ",)" : ")");
                break;
            case DictValue dict:
                AppendPairs(context, text, dict.Items);
                break;
            case NamespaceValue ns:
                text.Append("<Namespace ");
                AppendPairs(context, text, ns.Attributes.Select(a => new KeyValuePair<Value, Value>(new StringValue(a.Key), a.Value)));
                text.Append('>');
                break;
            case DictViewValue view:
                text.Append(view.TypeName);
                AppendItems(context, text, PythonSequences.ViewItems(view), "([", "])");
                break;
        }
    }

    private static void AppendItems(RenderContext context, StringBuilder text, IEnumerable<Value> items, string open, string close)
    {
        text.Append(open);
        bool first = true;
        foreach (Value item in items)
        {
            if (!first)
                text.Append(", ");
            first = false;
            AppendRepr(context, text, item);
        }
        text.Append(close);
    }

    private static void AppendPairs(RenderContext context, StringBuilder text, IEnumerable<KeyValuePair<Value, Value>> pairs)
    {
        text.Append('{');
        bool first = true;
        foreach ((Value key, Value value) in pairs)
        {
            if (!first)
                text.Append(", ");
            first = false;
            AppendRepr(context, text, key);
            text.Append(": ");
            AppendRepr(context, text, value);
        }
        text.Append('}');
    }

    private static void AppendQuoted(RenderContext context, StringBuilder text, string value)
    {
        context.Work(value.Length);
        char quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            if (c == quote || c == '\\')
                text.Append('\\').Append(c);
            else if (c == '\n')
                text.Append("\\n");
            else if (c == '\r')
                text.Append("\\r");
            else if (c == '\t')
                text.Append("\\t");
            else if (char.IsSurrogatePair(value, i))
                AppendRune(text, new Rune(c, value[++i]));
            else if (IsPrintable(char.GetUnicodeCategory(c), c))
                text.Append(c);
            else
                AppendEscape(text, c);
        }
        text.Append(quote);
    }

    private static void AppendEscape(StringBuilder text, char c)
    {
        if (c <= 0xFF)
            text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
        else
            text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
    }

    private static void AppendRune(StringBuilder text, Rune rune)
    {
        if (IsPrintable(Rune.GetUnicodeCategory(rune), rune.Value))
            text.Append(rune.ToString());
        else
            text.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
    }

    /// <summary><c>str.isprintable</c> of one character: everything but the categories "other" and "separator", save the space.</summary>
    public static bool IsPrintable(UnicodeCategory category, int code) => code == ' ' || category is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
