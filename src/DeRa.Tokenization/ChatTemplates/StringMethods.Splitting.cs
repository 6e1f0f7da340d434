using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The methods that take strings apart, put them together, or pad them.</summary>
internal static partial class StringMethods
{
    private static StringValue Replace(RenderContext context, StringValue self, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "replace", 2, "old", "new", "count");
        string old = context.Text(bound[0], "replace() argument 1");
        string replacement = context.Text(bound[1], "replace() argument 2");
        if (self.IsMarkup && bound[1] is StringValue { IsMarkup: false })
            replacement = Markup.Escape(context, replacement);
        return Result(context, self, Replace(context, self.Text, old, replacement, context.Int(bound[2], -1, "replace")));
    }

    /// <summary><c>text.replace(old, replacement, count)</c>; a negative count means all.</summary>
    public static string Replace(RenderContext context, string text, string old, string replacement, int count)
    {
        if (old.Length == 0)
            return Interleave(context, text, replacement, count);
        TextSearch.Charge(context, text.Length, old.Length);
        long matches = text.AsSpan().Count(old);
        if (count >= 0)
            matches = Math.Min(matches, count);
        context.AllocateString(text.Length + (matches * (replacement.Length - old.Length)));
        var result = new StringBuilder();
        int from = 0;
        for (long i = 0; i < matches; i++)
        {
            int at = text.IndexOf(old, from, StringComparison.Ordinal);
            result.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
        }
        return result.Append(text, from, text.Length - from).ToString();
    }

    /// <summary>Replacing the empty string: the replacement goes before each character and at the end.</summary>
    private static string Interleave(RenderContext context, string text, string replacement, int count)
    {
        long places = CodePoints.Length(text) + 1L;
        if (count >= 0)
            places = Math.Min(places, count);
        context.AllocateString(text.Length + (places * replacement.Length));
        var result = new StringBuilder();
        foreach (string character in CodePoints.Split(text))
        {
            if (places-- > 0)
                result.Append(replacement);
            result.Append(character);
        }
        if (places > 0)
            result.Append(replacement);
        return result.ToString();
    }

    private static ListValue Split(RenderContext context, StringValue self, Arguments arguments, string name, bool fromEnd)
    {
        Value?[] bound = arguments.Bind(context, name, 0, "sep", "maxsplit");
        int limit = context.Int(bound[1], -1, name);
        if (limit < 0)
            limit = int.MaxValue;
        List<string> parts;
        if (bound[0] is null or NoneValue)
        {
            context.Work(self.Text.Length);
            parts = fromEnd ? SplitSpaceFromEnd(self.Text, limit) : SplitSpace(self.Text, limit);
        }
        else
        {
            string separator = context.Text(bound[0], $"{name} separator");
            if (separator.Length == 0)
                throw context.Error("empty separator");
            TextSearch.Charge(context, self.Text.Length, separator.Length);
            parts = fromEnd ? SplitTextFromEnd(self.Text, separator, limit) : SplitText(self.Text, separator, limit);
        }
        context.AllocateString(self.Text.Length);
        return context.NewList([.. parts.Select(part => new StringValue(part, self.IsMarkup))]);
    }

    private static List<string> SplitText(string text, string separator, int limit)
    {
        var parts = new List<string>();
        int from = 0;
        for (int at; parts.Count < limit && (at = text.IndexOf(separator, from, StringComparison.Ordinal)) >= 0; from = at + separator.Length)
            parts.Add(text[from..at]);
        parts.Add(text[from..]);
        return parts;
    }

    private static List<string> SplitTextFromEnd(string text, string separator, int limit)
    {
        var parts = new List<string>();
        int end = text.Length;
        for (int at; parts.Count < limit && (at = text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal)) >= 0; end = at)
            parts.Add(text[(at + separator.Length)..end]);
        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<string> SplitSpace(string text, int limit)
    {
        var parts = new List<string>();
        int at = 0;
        while (true)
        {
            while (at < text.Length && PythonText.IsSpace(text[at]))
                at++;
            if (at == text.Length)
                return parts;
            if (parts.Count == limit)
            {
                parts.Add(text[at..]);
                return parts;
            }
            int start = at;
            while (at < text.Length && !PythonText.IsSpace(text[at]))
                at++;
            parts.Add(text[start..at]);
        }
    }

    private static List<string> SplitSpaceFromEnd(string text, int limit)
    {
        var parts = new List<string>();
        int end = text.Length;
        while (true)
        {
            while (end > 0 && PythonText.IsSpace(text[end - 1]))
                end--;
            if (end == 0)
                break;
            if (parts.Count == limit)
            {
                parts.Add(text[..end]);
                break;
            }
            int last = end;
            while (end > 0 && !PythonText.IsSpace(text[end - 1]))
                end--;
            parts.Add(text[end..last]);
        }
        parts.Reverse();
        return parts;
    }

    private static ListValue SplitLines(RenderContext context, StringValue self, Arguments arguments)
    {
        bool keepEnds = context.Flag(arguments.Bind(context, "splitlines", 0, "keepends")[0]);
        List<string> lines = Lines(context, self.Text, keepEnds);
        return context.NewList([.. lines.Select(line => new StringValue(line, self.IsMarkup))]);
    }

    /// <summary><c>text.splitlines()</c>: also breaks at form feeds, separators and the Unicode line ends.</summary>
    public static List<string> Lines(RenderContext context, string text, bool keepEnds = false)
    {
        context.AllocateString(text.Length);
        var lines = new List<string>();
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('\n' or '\r' or '\v' or '\f' or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029'))
                continue;
            int end = i;
            if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
                i++;
            lines.Add(text[start..(keepEnds ? i + 1 : end)]);
            start = i + 1;
        }
        if (start < text.Length)
            lines.Add(text[start..]);
        return lines;
    }

    private static TupleValue Partition(RenderContext context, StringValue self, Arguments arguments, string name, bool fromEnd)
    {
        string separator = context.Text(arguments.Bind(context, name, 1, "sep")[0], $"{name} separator");
        if (separator.Length == 0)
            throw context.Error("empty separator");
        int at = fromEnd ? TextSearch.LastIndexOf(context, self.Text, separator) : TextSearch.IndexOf(context, self.Text, separator, 0);
        if (at < 0)
            return fromEnd ? new TupleValue([StringValue.Empty, StringValue.Empty, self]) : new TupleValue([self, StringValue.Empty, StringValue.Empty]);
        return new TupleValue(
        [
            Result(context, self, self.Text[..at]),
            Result(context, self, separator),
            Result(context, self, self.Text[(at + separator.Length)..]),
        ]);
    }

    private static StringValue Join(RenderContext context, StringValue self, Arguments arguments)
    {
        Value items = arguments.Bind(context, "join", 1, "iterable")[0]!;
        var result = new StringBuilder();
        int index = 0;
        foreach (Value item in PythonSequences.TryIterate(context, items) ?? throw context.Error("can only join an iterable"))
        {
            if (item is not StringValue part)
                throw context.Error($"sequence item {index}: expected str instance, {item.TypeName} found");
            if (index++ > 0)
                result.Append(self.Text);
            result.Append(self.IsMarkup && !part.IsMarkup ? Markup.Escape(context, part.Text) : part.Text);
            context.Work(self.Text.Length + part.Text.Length);
            CheckLength(context, result);
        }
        return Result(context, self, result.ToString());
    }

    /// <summary>Stops a string that is being built before it outgrows the limit.</summary>
    public static void CheckLength(RenderContext context, StringBuilder text)
    {
        if (text.Length > context.Limits.MaxStringLength)
            throw context.Error($"a string exceeds the limit of {context.Limits.MaxStringLength} characters");
    }

    private static StringValue Pad(RenderContext context, StringValue self, Arguments arguments, string name)
    {
        Value?[] bound = arguments.Bind(context, name, 1, "width", "fillchar");
        string fill = bound[1] is null ? " " : context.Text(bound[1], "the fill character");
        if (CodePoints.Length(fill) != 1)
            throw context.Error("The fill character must be exactly one character long");
        char align = name switch { "ljust" => '<', "rjust" => '>', _ => '^' };
        return Result(context, self, Pad(context, self.Text, context.Int(bound[0], 0, name), fill, align));
    }

    /// <summary>Pads a text to a width; centred text with an odd margin leans as <c>str.center</c> leans.</summary>
    public static string Pad(RenderContext context, string text, int width, string fill, char align)
    {
        int margin = Math.Max(0, width - CodePoints.Length(text));
        context.AllocateString(text.Length + ((long)margin * fill.Length));
        int left = align switch
        {
            '<' => 0,
            '>' => margin,
            _ => (margin / 2) + (margin & width & 1),
        };
        return Repeated(fill, left) + text + Repeated(fill, margin - left);
    }

    private static string Repeated(string fill, int count) => fill.Length == 1 ? new string(fill[0], count) : string.Concat(Enumerable.Repeat(fill, count));

    private static StringValue ZeroFill(RenderContext context, StringValue self, Arguments arguments)
    {
        int width = context.Int(arguments.Bind(context, "zfill", 1, "width")[0], 0, "zfill");
        bool signed = self.Text.StartsWith('-') || self.Text.StartsWith('+');
        string sign = signed ? self.Text[..1] : "";
        return Result(context, self, sign + Pad(context, self.Text[sign.Length..], width - sign.Length, "0", '>'));
    }

    private static StringValue ExpandTabs(RenderContext context, StringValue self, Arguments arguments)
    {
        int size = context.Int(arguments.Bind(context, "expandtabs", 0, "tabsize")[0], 8, "expandtabs");
        var result = new StringBuilder();
        int column = 0;
        foreach (string character in CodePoints.Split(self.Text))
        {
            if (character != "\t")
            {
                result.Append(character);
                column = character is "\n" or "\r" ? 0 : column + 1;
                continue;
            }
            int spaces = size > 0 ? size - (column % size) : 0;
            context.AllocateString(spaces);
            result.Append(' ', spaces);
            CheckLength(context, result);
            column += spaces;
        }
        return Result(context, self, result.ToString());
    }
}
