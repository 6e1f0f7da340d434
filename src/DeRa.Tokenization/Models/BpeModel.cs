using System.Collections.Concurrent;
using System.Text;

namespace DeRa.Tokenization;

/// <summary>
/// Byte-pair encoding of one word: characters become symbols, then the lowest-ranked adjacent pair merges until none is left
/// (Sennrich et al. 2016; ties, unknown characters and byte fallback as in huggingface/tokenizers <c>models/bpe</c>).
/// </summary>
/// <remarks>O(n log n) in the length of the word. Immutable apart from a bounded cache; safe to share between threads.</remarks>
internal sealed class BpeModel
{
    /// <summary>Words longer than this are rare enough that remembering them costs more than merging again.</summary>
    private const int LongestCachedWord = 64;

    private const int CacheCapacity = 20_000;

    private readonly BpeVocabulary vocabulary;
    private readonly BpeOptions options;
    private readonly int? unknownId;
    private readonly int[]? byteIds;
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> cacheBySpan;
    private int cached;

    public BpeModel(BpeVocabulary vocabulary, BpeOptions options)
    {
        this.vocabulary = vocabulary;
        this.options = options;
        cacheBySpan = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        unknownId = options.UnknownToken is { } unknown && vocabulary.TryGetId(unknown, out int id) ? id : null;
        byteIds = options.ByteFallback ? ByteTokenIds(vocabulary) : null;
    }

    public BpeVocabulary Vocabulary => vocabulary;

    /// <summary>Appends the token ids of <paramref name="word"/>, which is well-formed UTF-16.</summary>
    /// <exception cref="TokenizerException">A character is unknown and the model's unk_token is not in its vocabulary.</exception>
    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        if (word.IsEmpty)
            return;
        if (options.IgnoreMerges && vocabulary.TryGetId(word, out int whole))
        {
            ids.Add(whole);
            return;
        }
        if (word.Length > LongestCachedWord)
        {
            Merge(word).AppendTo(ids);
            return;
        }
        if (cacheBySpan.TryGetValue(word, out int[]? known))
        {
            ids.AddRange(known);
            return;
        }
        int start = ids.Count;
        Merge(word).AppendTo(ids);
        if (Volatile.Read(ref cached) < CacheCapacity && cache.TryAdd(word.ToString(), [.. ids[start..]]))
            Interlocked.Increment(ref cached);
    }

    private BpeWord Merge(ReadOnlySpan<char> word)
    {
        BpeWord symbols = Symbols(word);
        symbols.MergeAll(vocabulary);
        return symbols;
    }

    private BpeWord Symbols(ReadOnlySpan<char> word)
    {
        BpeWord symbols = new(word.Length);
        int? pendingUnknown = null;
        StringBuilder? affixed = null;
        Span<byte> utf8 = stackalloc byte[4];
        for (int start = 0, length; start < word.Length; start += length)
        {
            length = CodePoints.LengthAt(word, start);
            ReadOnlySpan<char> symbol = word.Slice(start, length);
            if (NeedsAffix(start, start + length == word.Length))
                symbol = Affixed(affixed ??= new StringBuilder(), symbol, start > 0, start + length == word.Length);

            if (vocabulary.TryGetId(symbol, out int id))
            {
                if (pendingUnknown is { } before)
                    symbols.Add(before);
                pendingUnknown = null;
                symbols.Add(id);
            }
            else if (!TryAddBytes(symbols, symbol, utf8) && options.UnknownToken is not null)
            {
                if (pendingUnknown is { } before && !options.FuseUnknown)
                    symbols.Add(before);
                pendingUnknown = unknownId ?? throw new TokenizerException(
                    $"model.unk_token: expected a token of the vocabulary, found \"{options.UnknownToken}\", needed for \"{symbol}\"");
            }
        }
        if (pendingUnknown is { } last)
            symbols.Add(last);
        return symbols;
    }

    private bool NeedsAffix(int start, bool isLast) =>
        (start > 0 && options.ContinuingSubwordPrefix.Length > 0) || (isLast && options.EndOfWordSuffix.Length > 0);

    private string Affixed(StringBuilder buffer, ReadOnlySpan<char> symbol, bool continues, bool isLast)
    {
        buffer.Clear();
        if (continues)
            buffer.Append(options.ContinuingSubwordPrefix);
        buffer.Append(symbol);
        if (isLast)
            buffer.Append(options.EndOfWordSuffix);
        return buffer.ToString();
    }

    /// <summary>Adds one <c>&lt;0xNN&gt;</c> token per UTF-8 byte, if the vocabulary has all of them.</summary>
    private bool TryAddBytes(BpeWord symbols, ReadOnlySpan<char> symbol, Span<byte> utf8)
    {
        if (byteIds is null)
            return false;
        int needed = Encoding.UTF8.GetByteCount(symbol);
        Span<byte> bytes = needed <= utf8.Length ? utf8 : new byte[needed];
        bytes = bytes[..Encoding.UTF8.GetBytes(symbol, bytes)];
        foreach (byte value in bytes)
        {
            if (byteIds[value] < 0)
                return false;
        }
        foreach (byte value in bytes)
            symbols.Add(byteIds[value]);
        return true;
    }

    /// <summary>Ids by byte value; −1 where the vocabulary lacks the byte's token.</summary>
    private static int[] ByteTokenIds(BpeVocabulary vocabulary)
    {
        int[] ids = new int[256];
        for (int value = 0; value < ids.Length; value++)
            ids[value] = vocabulary.TryGetId($"<0x{value:X2}>", out int id) ? id : -1;
        return ids;
    }
}
