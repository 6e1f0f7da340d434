using System.Globalization;

namespace DeRa.Tokenization;

/// <summary>The <c>\p{…}</c> names, POSIX brackets and scripts that patterns may use, as Oniguruma defines them.</summary>
internal static class UnicodeProperties
{
    /// <summary>Two-letter general categories in the order of <see cref="UnicodeCategory"/>.</summary>
    private static readonly string[] Categories =
    [
        "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "zs", "zl", "zp", "cc",
        "cf", "cs", "co", "pc", "pd", "ps", "pe", "pi", "pf", "po", "sm", "sc", "sk", "so", "cn",
    ];

    private static readonly Dictionary<string, string> LongNames = (
        "letter=l mark=m number=n separator=z other=c punctuation=p symbol=s uppercaseletter=lu lowercaseletter=ll titlecaseletter=lt "
        + "modifierletter=lm otherletter=lo decimalnumber=nd letternumber=nl othernumber=no nonspacingmark=mn spacingmark=mc enclosingmark=me "
        + "control=cc format=cf spaceseparator=zs")
        .Split(' ').Select(entry => entry.Split('=')).ToDictionary(entry => entry[0], entry => entry[1], StringComparer.Ordinal);

    private static readonly Dictionary<string, (int First, int Last)[]> Scripts = new(StringComparer.Ordinal)
    {
        ["han"] =
        [
            (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),
            (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1),
            (0x20000, 0x2A6DF), (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D),
            (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF),
        ],
        ["hiragana"] = [(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152), (0x1F200, 0x1F200)],
        ["katakana"] =
        [
            (0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D),
            (0x1AFF0, 0x1AFF3), (0x1AFF5, 0x1AFFB), (0x1AFFD, 0x1AFFE), (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155),
            (0x1B164, 0x1B167),
        ],
        ["hangul"] =
        [
            (0x1100, 0x11FF), (0x302E, 0x302F), (0x3131, 0x318E), (0x3200, 0x321E), (0x3260, 0x327E), (0xA960, 0xA97C), (0xAC00, 0xD7A3),
            (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB), (0xFFA0, 0xFFBE), (0xFFC2, 0xFFC7), (0xFFCA, 0xFFCF), (0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC),
        ],
    };

    public static readonly CodePointSet Any = new(_ => true);
    public static readonly CodePointSet NotNewline = new(codePoint => codePoint != '\n');
    public static readonly CodePointSet Space = new(CodePoints.IsWhiteSpace);
    public static readonly CodePointSet Word = new(CodePoints.IsWord);
    public static readonly CodePointSet Digit = new(codePoint => CodePoints.Category(codePoint) == UnicodeCategory.DecimalDigitNumber);
    public static readonly CodePointSet HexDigit = new(codePoint => codePoint < 0x80 && char.IsAsciiHexDigit((char)codePoint));

    /// <summary>The set a property name stands for, or null for a name that is not supported. Case, spaces, "_" and "-" do not count.</summary>
    public static CodePointSet? Find(string name)
    {
        string key = new([.. name.Where(unit => unit is not (' ' or '_' or '-')).Select(char.ToLowerInvariant)]);
        if (LongNames.TryGetValue(key, out string? shortName))
            key = shortName;
        if (FindClass(key) is { } posix)
            return posix;
        if (key == "lc")
            return InCategories("lu", "ll", "lt");
        if (key.Length == 1 && Array.Exists(Categories, category => category[0] == key[0]))
            return InCategories([.. Categories.Where(category => category[0] == key[0])]);
        if (Array.IndexOf(Categories, key) >= 0)
            return InCategories(key);
        return Scripts.TryGetValue(key, out (int First, int Last)[]? ranges)
            ? CodePointSet.Union(Array.ConvertAll(ranges, range => CodePointSet.Range(range.First, range.Last)))
            : null;
    }

    /// <summary>A POSIX bracket name (<c>[:alpha:]</c>), in lower case, or null.</summary>
    public static CodePointSet? FindClass(string name) => name switch
    {
        "any" => Any,
        "space" or "whitespace" => Space,
        "word" => Word,
        "digit" => Digit,
        "xdigit" => HexDigit,
        "cntrl" => InCategories("cc"),
        "blank" => new CodePointSet(codePoint => codePoint == '\t' || CodePoints.Category(codePoint) == UnicodeCategory.SpaceSeparator),
        "punct" => InCategories([.. Categories.Where(category => category[0] is 'p' or 's')]),
        "ascii" => CodePointSet.Range(0, 0x7F),
        _ => null,
    };

    private static CodePointSet InCategories(params string[] names)
    {
        int mask = names.Aggregate(0, (bits, name) => bits | (1 << Array.IndexOf(Categories, name)));
        return new CodePointSet(codePoint => (mask >> (int)CodePoints.Category(codePoint) & 1) != 0);
    }
}
