using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The methods of Python's <c>str</c>, found by name; results of markup strings stay markup.</summary>
internal static partial class StringMethods
{
    private delegate Value Method(RenderContext context, StringValue self, Arguments arguments);

    private static readonly Dictionary<string, Method> Methods = new(StringComparer.Ordinal)
    {
        ["strip"] = (context, self, arguments) => Strip(context, self, arguments, true, true),
        ["lstrip"] = (context, self, arguments) => Strip(context, self, arguments, true, false),
        ["rstrip"] = (context, self, arguments) => Strip(context, self, arguments, false, true),
        ["upper"] = Mapped("upper", CodePoints.Upper),
        ["lower"] = Mapped("lower", CodePoints.Lower),
        ["casefold"] = Mapped("casefold", text => CodePoints.Lower(text).Replace("ß", "ss", StringComparison.Ordinal)),
        ["capitalize"] = Mapped("capitalize", TextCase.Capitalize),
        ["title"] = Mapped("title", TextCase.Title),
        ["swapcase"] = Mapped("swapcase", TextCase.Swap),
        ["startswith"] = (context, self, arguments) => HasAffix(context, self, arguments, "startswith"),
        ["endswith"] = (context, self, arguments) => HasAffix(context, self, arguments, "endswith"),
        ["removeprefix"] = (context, self, arguments) =>
        {
            string prefix = context.Text(arguments.Bind(context, "removeprefix", 1, "prefix")[0], "removeprefix() argument");
            return Result(context, self, self.Text.StartsWith(prefix, StringComparison.Ordinal) ? self.Text[prefix.Length..] : self.Text);
        },
        ["removesuffix"] = (context, self, arguments) =>
        {
            string suffix = context.Text(arguments.Bind(context, "removesuffix", 1, "suffix")[0], "removesuffix() argument");
            return Result(context, self, self.Text.EndsWith(suffix, StringComparison.Ordinal) ? self.Text[..^suffix.Length] : self.Text);
        },
        ["find"] = (context, self, arguments) => new IntValue(Find(context, self, arguments, "find", fromEnd: false)),
        ["rfind"] = (context, self, arguments) => new IntValue(Find(context, self, arguments, "rfind", fromEnd: true)),
        ["index"] = (context, self, arguments) => Index(context, self, arguments, "index", fromEnd: false),
        ["rindex"] = (context, self, arguments) => Index(context, self, arguments, "rindex", fromEnd: true),
        ["count"] = Count,
        ["replace"] = Replace,
        ["split"] = (context, self, arguments) => Split(context, self, arguments, "split", fromEnd: false),
        ["rsplit"] = (context, self, arguments) => Split(context, self, arguments, "rsplit", fromEnd: true),
        ["splitlines"] = SplitLines,
        ["partition"] = (context, self, arguments) => Partition(context, self, arguments, "partition", fromEnd: false),
        ["rpartition"] = (context, self, arguments) => Partition(context, self, arguments, "rpartition", fromEnd: true),
        ["join"] = Join,
        ["format"] = (context, self, arguments) => Result(context, self, BraceFormat.Apply(context, self.Text, arguments)),
        ["format_map"] = (context, self, arguments) =>
            Result(context, self, BraceFormat.Apply(context, self.Text, BraceFormat.Named(context, arguments.Bind(context, "format_map", 1, "mapping")[0]!))),
        ["center"] = (context, self, arguments) => Pad(context, self, arguments, "center"),
        ["ljust"] = (context, self, arguments) => Pad(context, self, arguments, "ljust"),
        ["rjust"] = (context, self, arguments) => Pad(context, self, arguments, "rjust"),
        ["zfill"] = ZeroFill,
        ["expandtabs"] = ExpandTabs,
        ["isdigit"] = Every("isdigit", TextCase.IsDigit),
        ["isdecimal"] = Every("isdecimal", TextCase.IsDecimal),
        ["isnumeric"] = Every("isnumeric", TextCase.IsNumeric),
        ["isalpha"] = Every("isalpha", Rune.IsLetter),
        ["isalnum"] = Every("isalnum", rune => Rune.IsLetter(rune) || TextCase.IsNumeric(rune)),
        ["isspace"] = Every("isspace", rune => Rune.IsWhiteSpace(rune) || rune.Value is >= 0x1c and <= 0x1f),
        ["isprintable"] = Every("isprintable", rune => PythonText.IsPrintable(Rune.GetUnicodeCategory(rune), rune.Value), ofEmpty: true),
        ["isascii"] = Every("isascii", rune => rune.IsAscii, ofEmpty: true),
        ["isupper"] = Check("isupper", TextCase.IsUpper),
        ["islower"] = Check("islower", TextCase.IsLower),
        ["istitle"] = Check("istitle", TextCase.IsTitle),
        ["isidentifier"] = Check("isidentifier", TextCase.IsIdentifier),
    };

    public static FunctionValue? Find(StringValue self, string name) =>
        Methods.TryGetValue(name, out Method? method) ? new FunctionValue(name, (context, arguments) => method(context, self, arguments), "method") : null;

    private static StringValue Result(RenderContext context, StringValue self, string text) => context.NewString(text, self.IsMarkup);

    private static Method Mapped(string name, Func<string, string> map) => (context, self, arguments) =>
    {
        arguments.BindNothing(context, name);
        return Result(context, self, map(self.Text));
    };

    private static Method Check(string name, Func<string, bool> check) => (context, self, arguments) =>
    {
        arguments.BindNothing(context, name);
        context.Work(self.Text.Length);
        return BoolValue.Of(check(self.Text));
    };

    private static Method Every(string name, Func<Rune, bool> check, bool ofEmpty = false) =>
        Check(name, text => text.Length == 0 ? ofEmpty : text.EnumerateRunes().All(check));

    private static StringValue Strip(RenderContext context, StringValue self, Arguments arguments, bool atStart, bool atEnd)
    {
        Value? characters = arguments.Bind(context, "strip", 0, "chars")[0];
        string text = self.Text;
        if (characters is null or NoneValue)
        {
            if (atStart)
                text = PythonText.TrimStart(text);
            return Result(context, self, atEnd ? PythonText.TrimEnd(text) : text);
        }
        return Result(context, self, TextCase.Strip(text, context.Text(characters, "strip arg"), atStart, atEnd));
    }

    private static BoolValue HasAffix(RenderContext context, StringValue self, Arguments arguments, string name)
    {
        Value?[] bound = arguments.Bind(context, name, 1, "affix", "start", "end");
        string text = Window(context, self.Text, bound[1], bound[2], out bool isReversed);
        IReadOnlyList<Value> affixes = bound[0] is TupleValue tuple ? tuple.Items : [bound[0]!];
        foreach (Value affix in affixes)
        {
            context.Step();
            string part = context.Text(affix, $"{name} first arg");
            if (!isReversed && (name == "startswith" ? text.StartsWith(part, StringComparison.Ordinal) : text.EndsWith(part, StringComparison.Ordinal)))
                return BoolValue.True;
        }
        return BoolValue.False;
    }

    /// <summary>The part of a text between two optional code point indices; reversed where the start lies behind the end.</summary>
    private static string Window(RenderContext context, string text, Value? start, Value? end, out bool isReversed)
    {
        isReversed = false;
        if (start is null or NoneValue && end is null or NoneValue)
            return text;
        context.Work(text.Length);
        int length = CodePoints.Length(text);
        int first = CollectionMethods.Position(context, start, length, 0);
        int last = CollectionMethods.Position(context, end, length, length);
        isReversed = first > last || (start is not null && PythonNumbers.TryGetInt(start, out System.Numerics.BigInteger index) && index > length);
        return isReversed ? "" : text[CodePoints.ToOffset(text, first)..CodePoints.ToOffset(text, last)];
    }

    private static int Find(RenderContext context, StringValue self, Arguments arguments, string name, bool fromEnd)
    {
        Value?[] bound = arguments.Bind(context, name, 1, "sub", "start", "end");
        string part = context.Text(bound[0], $"{name}() argument");
        string window = Window(context, self.Text, bound[1], bound[2], out bool isReversed);
        if (isReversed)
            return -1;
        int found = fromEnd ? TextSearch.LastIndexOf(context, window, part) : TextSearch.IndexOf(context, window, part, 0);
        if (found < 0)
            return -1;
        return CodePoints.ToIndex(window, found) + CollectionMethods.Position(context, bound[1], CodePoints.Length(self.Text), 0);
    }

    private static IntValue Index(RenderContext context, StringValue self, Arguments arguments, string name, bool fromEnd)
    {
        int found = Find(context, self, arguments, name, fromEnd);
        return found >= 0 ? new IntValue(found) : throw context.Error("substring not found");
    }

    private static IntValue Count(RenderContext context, StringValue self, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "count", 1, "sub", "start", "end");
        string part = context.Text(bound[0], "count() argument");
        string window = Window(context, self.Text, bound[1], bound[2], out bool isReversed);
        if (isReversed)
            return new IntValue(0);
        if (part.Length == 0)
            return new IntValue(CodePoints.Length(window) + 1);
        TextSearch.Charge(context, window.Length, part.Length);
        return new IntValue(window.AsSpan().Count(part));
    }
}
