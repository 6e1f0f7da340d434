using System.Text;

namespace DeRa.Tokenization;

/// <summary>Reads the normalizer, pre_tokenizer, post_processor and decoder of a tokenizer.json; what is not supported is refused by name.</summary>
internal static class ComponentReader
{
    private const char DefaultMark = '\u2581';

    public static Normalizer? ReadNormalizer(JsonField field)
    {
        if (field.IsNull)
            return null;
        string type = field["type"].AsString();
        return type switch
        {
            "Sequence" => new SequenceNormalizer(ReadAll(field["normalizers"], ReadNormalizer)),
            "NFC" => new UnicodeFormNormalizer(NormalizationForm.FormC),
            "NFD" => new UnicodeFormNormalizer(NormalizationForm.FormD),
            "NFKC" => new UnicodeFormNormalizer(NormalizationForm.FormKC),
            "NFKD" => new UnicodeFormNormalizer(NormalizationForm.FormKD),
            "Lowercase" => new LowercaseNormalizer(),
            "Strip" => new StripNormalizer(field["strip_left"].AsBoolean(true), field["strip_right"].AsBoolean(true)),
            "StripAccents" => new StripAccentsNormalizer(),
            "Prepend" => new PrependNormalizer(field["prepend"].AsString()),
            "Replace" => new ReplaceNormalizer(ReadPattern(field["pattern"]), field["content"].AsString()),
            "ByteLevel" => new ByteLevelNormalizer(),
            "Nmt" => new NmtNormalizer(),
            _ => throw Unsupported(field, "NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, ByteLevel, Nmt or Sequence"),
        };
    }

    public static PreTokenizer? ReadPreTokenizer(JsonField field)
    {
        if (field.IsNull)
            return null;
        string type = field["type"].AsString();
        return type switch
        {
            "Sequence" => new SequencePreTokenizer(ReadAll(field["pretokenizers"], ReadPreTokenizer)),
            "ByteLevel" => new ByteLevelPreTokenizer(field["add_prefix_space"].AsBoolean(true), field["use_regex"].AsBoolean(true)),
            "Metaspace" => new MetaspacePreTokenizer(ReadMark(field), ReadPrependScheme(field), field["split"].AsBoolean(true)),
            "Split" => new PatternPreTokenizer(ReadPattern(field["pattern"]), ReadBehavior(field["behavior"]), field["invert"].AsBoolean(false)),
            "Digits" => new CharacterPreTokenizer(
                CodePoints.IsNumeric, field["individual_digits"].AsBoolean(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
            "Punctuation" => new CharacterPreTokenizer(
                CodePoints.IsPunctuation, field["behavior"].IsNull ? SplitBehavior.Isolated : ReadBehavior(field["behavior"])),
            "Whitespace" => new WordRunPreTokenizer(),
            "WhitespaceSplit" => new CharacterPreTokenizer(CodePoints.IsWhiteSpace, SplitBehavior.Removed),
            "CharDelimiterSplit" => ReadDelimiter(field["delimiter"].AsCodePoint()),
            "FixedLength" => new FixedLengthPreTokenizer(ReadLength(field["length"])),
            _ => throw Unsupported(
                field,
                "ByteLevel, Metaspace, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, CharDelimiterSplit, FixedLength or Sequence"),
        };
    }

    /// <summary>A processor, or null for one that only moves offsets.</summary>
    public static PostProcessor? ReadPostProcessor(JsonField field)
    {
        if (field.IsNull)
            return null;
        string type = field["type"].AsString();
        return type switch
        {
            "Sequence" => new SequencePostProcessor(ReadAll(field["processors"], ReadPostProcessor)),
            "ByteLevel" => null,
            "TemplateProcessing" => ReadTemplate(field),
            "BertProcessing" or "RobertaProcessing" => new TemplatePostProcessor([[ReadTokenPair(field["cls"])], null, [ReadTokenPair(field["sep"])]]),
            _ => throw Unsupported(field, "ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing or Sequence"),
        };
    }

    public static TokenDecoder? ReadDecoder(JsonField field)
    {
        if (field.IsNull)
            return null;
        string type = field["type"].AsString();
        return type switch
        {
            "Sequence" => new SequenceDecoder(ReadAll(field["decoders"], ReadDecoder)),
            "ByteLevel" => new ByteLevelDecoder(),
            "ByteFallback" => new ByteFallbackDecoder(),
            "Fuse" => new FuseDecoder(),
            "Strip" => new StripDecoder(field["content"].AsCodePoint(), field["start"].AsCount(), field["stop"].AsCount()),
            "Replace" => new ReplaceDecoder(ReadPattern(field["pattern"]), field["content"].AsString()),
            "Metaspace" => new MetaspaceDecoder(ReadMark(field), ReadPrependScheme(field)),
            "BPEDecoder" => new SuffixDecoder(field["suffix"].AsOptionalString() ?? "</w>"),
            _ => throw Unsupported(field, "ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, BPEDecoder or Sequence"),
        };
    }

    private static List<T> ReadAll<T>(JsonField list, Func<JsonField, T?> read)
        where T : class
    {
        List<T> parts = [];
        foreach (JsonField item in list.Items())
        {
            if (item.IsNull)
                throw item.Unexpected("a component");
            if (read(item) is { } part)
                parts.Add(part);
        }
        return parts;
    }

    private static TextPattern ReadPattern(JsonField field)
    {
        JsonField regex = field["Regex"];
        if (regex.IsNull)
            return TextPattern.Literal(field["String"].AsString());
        try
        {
            return TextPattern.Regex(regex.AsString());
        }
        catch (TokenizerException fault) when (fault.File is null)
        {
            throw new TokenizerException($"{regex.File}: {regex.Path}: {fault.Message}", fault);
        }
    }

    private static SplitBehavior ReadBehavior(JsonField field)
    {
        string name = field.AsString();
        return Enum.TryParse(name, out SplitBehavior behavior) && behavior.ToString() == name
            ? behavior
            : throw field.Unexpected("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
    }

    private static int ReadMark(JsonField field) => field["replacement"].IsNull ? DefaultMark : field["replacement"].AsCodePoint();

    /// <summary>The scheme, which the older <c>add_prefix_space: false</c> turns into Never; the two must not contradict each other.</summary>
    private static PrependScheme ReadPrependScheme(JsonField field)
    {
        JsonField scheme = field["prepend_scheme"];
        bool addPrefixSpace = field["add_prefix_space"].AsBoolean(true);
        if (scheme.IsNull)
            return addPrefixSpace ? PrependScheme.Always : PrependScheme.Never;
        return scheme.AsString() switch
        {
            "never" => PrependScheme.Never,
            "always" when addPrefixSpace => PrependScheme.Always,
            "first" when addPrefixSpace => PrependScheme.First,
            _ => throw scheme.Unexpected("always, first or never (never alone where add_prefix_space is false)"),
        };
    }

    private static CharacterPreTokenizer ReadDelimiter(int delimiter) => new(codePoint => codePoint == delimiter, SplitBehavior.Removed);

    private static int ReadLength(JsonField field)
    {
        const int whenAbsent = 5;
        int length = field.IsNull ? whenAbsent : field.AsCount();
        return length > 0 ? length : throw field.Unexpected("a length of at least 1");
    }

    /// <summary>The "single" template: special tokens, which stand for ids, around the text "A".</summary>
    private static TemplatePostProcessor ReadTemplate(JsonField field)
    {
        JsonField specialTokens = field["special_tokens"];
        List<int[]?> parts = [];
        foreach (JsonField item in field["single"].Items())
        {
            JsonField special = item["SpecialToken"];
            if (!special.IsNull)
            {
                JsonField ids = specialTokens[special["id"].AsString()]["ids"];
                parts.Add([.. ids.Items().Select(id => id.AsCount())]);
            }
            else if (item["Sequence"]["id"] is var sequence && sequence.AsString() == "A")
            {
                parts.Add(null);
            }
            else
            {
                throw sequence.Unexpected("\"A\", the only text of a single template");
            }
        }
        return new TemplatePostProcessor(parts);
    }

    private static int ReadTokenPair(JsonField field)
    {
        List<JsonField> pair = [.. field.Items()];
        return pair.Count == 2 ? pair[1].AsCount() : throw field.Unexpected("a token and its id");
    }

    private static TokenizerException Unsupported(JsonField field, string supported) => field["type"].Unexpected($"a supported type ({supported})");
}
