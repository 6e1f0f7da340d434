using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Filters that make strings of strings.</summary>
internal static partial class Filters
{
    /// <summary>How far <c>truncate</c> may overrun before it cuts; Jinja's policy.</summary>
    private const int TruncateLeeway = 5;

    private static void AddText(Dictionary<string, Filter> filters)
    {
        filters["string"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "string");
            return value as StringValue ?? context.NewString(PythonText.Str(context, value));
        };
        filters["upper"] = Mapped("upper", CodePoints.Upper);
        filters["lower"] = Mapped("lower", CodePoints.Lower);
        filters["capitalize"] = Mapped("capitalize", TextCase.Capitalize);
        filters["title"] = Mapped("title", Title);
        filters["striptags"] = Mapped("striptags", StripTags);
        filters["trim"] = Trim;
        filters["replace"] = Replace;
        filters["indent"] = Indent;
        filters["center"] = (context, value, arguments) =>
        {
            int width = context.Int(arguments.Bind(context, "center", 0, "width")[0], 80, "center");
            return context.NewString(StringMethods.Pad(context, PythonText.Str(context, value), width, " ", '^'));
        };
        filters["truncate"] = Truncate;
        filters["wordcount"] = WordCount;
        filters["format"] = (context, value, arguments) => context.NewString(PercentFormat.Apply(
            context, PythonText.Str(context, value), FormatValues(context, arguments)));
        filters["safe"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "safe");
            return new StringValue(PythonText.Str(context, value), isMarkup: true);
        };
        filters["escape"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "escape");
            return value is StringValue { IsMarkup: true } ? value : new StringValue(Markup.Escape(context, PythonText.Str(context, value)), isMarkup: true);
        };
        filters["e"] = filters["escape"];
        filters["forceescape"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "forceescape");
            return new StringValue(Markup.Escape(context, PythonText.Str(context, value)), isMarkup: true);
        };
        filters["urlencode"] = UrlEncode;
        filters["pprint"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "pprint");
            return context.NewString(PythonText.Repr(context, value));
        };
    }

    private static Filter Mapped(string name, Func<string, string> map) => (context, value, arguments) =>
    {
        arguments.BindNothing(context, name);
        return context.NewString(map(PythonText.Str(context, value)), value is StringValue { IsMarkup: true });
    };

    private static Value FormatValues(RenderContext context, Arguments arguments)
    {
        if (arguments.Positional.Count > 0 && arguments.Named.Count > 0)
            throw context.Error("can't handle positional and keyword arguments at the same time");
        if (arguments.Named.Count == 0)
            return new TupleValue(arguments.Positional);
        var items = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
        foreach ((string name, Value value) in arguments.Named)
            items[new StringValue(name)] = value;
        return new DictValue(items);
    }

    /// <summary>Capitalises the words that white space, hyphens and opening brackets separate.</summary>
    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        bool inWord = false;
        foreach (string character in CodePoints.Split(text))
        {
            bool separates = character is "-" or "(" or "{" or "[" or "<" || PythonText.IsSpace(character[0]);
            result.Append(inWord ? CodePoints.Lower(character) : CodePoints.Upper(character));
            inWord = !separates;
        }
        return result.ToString();
    }

    private static string StripTags(string text)
    {
        var result = new StringBuilder(text.Length);
        int from = 0;
        for (int open; (open = text.IndexOf('<', from)) >= 0;)
        {
            int close = text.IndexOf('>', open);
            if (close < 0)
                break;
            result.Append(text, from, open - from);
            from = close + 1;
        }
        result.Append(text, from, text.Length - from);
        return string.Join(' ', result.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    private static StringValue Trim(RenderContext context, Value value, Arguments arguments)
    {
        Value? characters = arguments.Bind(context, "trim", 0, "chars")[0];
        string text = PythonText.Str(context, value);
        string trimmed = characters is null or NoneValue
            ? PythonText.Trim(text)
            : TextCase.Strip(text, context.Text(characters, "strip arg"), atStart: true, atEnd: true);
        return context.NewString(trimmed, value is StringValue { IsMarkup: true });
    }

    private static StringValue Replace(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "replace", 2, "old", "new", "count");
        int count = bound[2] is NoneValue ? -1 : context.Int(bound[2], -1, "replace");
        return new StringValue(StringMethods.Replace(
            context, PythonText.Str(context, value), PythonText.Str(context, bound[0]!), PythonText.Str(context, bound[1]!), count));
    }

    private static StringValue Indent(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "indent", 0, "width", "first", "blank");
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        string text = context.Text(value, "indent input");
        string indentation = bound[0] is StringValue given
            ? given.Text
            : StringMethods.Pad(context, "", context.Int(bound[0], 4, "indent"), " ", '<');
        bool blank = context.Flag(bound[2]);
        List<string> lines = StringMethods.Lines(context, text + "\n");
        context.AllocateString(text.Length + ((long)lines.Count * indentation.Length));
        var result = new StringBuilder();
        for (int i = 0; i < lines.Count; i++)
        {
            if (i > 0)
                result.Append('\n');
            if (i == 0 ? context.Flag(bound[1]) : blank || lines[i].Length > 0)
                result.Append(indentation);
            result.Append(lines[i]);
        }
        return context.NewString(result.ToString());
    }

    private static StringValue Truncate(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "truncate", 0, "length", "killwords", "end", "leeway");
        string text = context.Text(value, "truncate input");
        int length = context.Int(bound[0], 255, "truncate");
        string end = bound[2] is null ? "..." : context.Text(bound[2], "truncate end");
        int leeway = bound[3] is null or NoneValue ? TruncateLeeway : context.Int(bound[3], TruncateLeeway, "truncate");
        if (length < CodePoints.Length(end))
            throw context.Error($"expected length >= {CodePoints.Length(end)}, got {length}");
        if (leeway < 0)
            throw context.Error($"expected leeway >= 0, got {leeway}");
        if (CodePoints.Length(text) <= length + leeway)
            return (StringValue)value;
        string kept = text[..CodePoints.ToOffset(text, length - CodePoints.Length(end))];
        if (!context.Flag(bound[1]))
        {
            int space = kept.LastIndexOf(' ');
            kept = space < 0 ? kept : kept[..space];
        }
        return context.NewString(kept + end);
    }

    private static IntValue WordCount(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "wordcount");
        int words = 0;
        bool inWord = false;
        foreach (Rune rune in PythonText.Str(context, value).EnumerateRunes())
        {
            bool isWordPart = rune.Value == '_' || Rune.IsLetter(rune) || Rune.IsNumber(rune);
            words += isWordPart && !inWord ? 1 : 0;
            inWord = isWordPart;
        }
        return new IntValue(words);
    }

    private static StringValue UrlEncode(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "urlencode");
        if (value is StringValue)
            return context.NewString(Quote(PythonText.Str(context, value)).Replace("%2F", "/", StringComparison.Ordinal));
        if (value is not (DictValue or SequenceValue))
            return context.NewString(Quote(PythonText.Str(context, value)).Replace("%2F", "/", StringComparison.Ordinal));
        IEnumerable<Value> pairs = value is DictValue dict
            ? PythonSequences.ViewItems(new DictViewValue(dict, DictViewKind.Items))
            : PythonSequences.Iterate(context, value);
        var parts = new List<string>();
        foreach (Value pair in pairs)
        {
            List<Value> sides = PythonSequences.ToList(context, pair);
            if (sides.Count != 2)
                throw context.Error("urlencode needs pairs");
            parts.Add($"{Quote(PythonText.Str(context, sides[0]))}={Quote(PythonText.Str(context, sides[1]))}".Replace("%20", "+", StringComparison.Ordinal));
        }
        return context.NewString(string.Join('&', parts));
    }

    private static string Quote(string text) => Uri.EscapeDataString(text);
}
