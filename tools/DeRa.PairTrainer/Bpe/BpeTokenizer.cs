using System.Text;

namespace DeRa.PairTrainer.Bpe;

/// <summary>A byte-level BPE tokenizer: special tokens, then 256 bytes, then one token per merge.</summary>
internal sealed class BpeTokenizer
{
    private readonly Dictionary<(string Left, string Right), int> ranks;
    private readonly Dictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> ids;

    /// <summary>Builds the vocabulary that the merges imply.</summary>
    public BpeTokenizer(IReadOnlyList<(string Left, string Right)> merges)
    {
        Merges = merges;
        ranks = merges.Select((merge, rank) => (merge, rank)).ToDictionary(m => m.merge, m => m.rank);
        Tokens =
        [
            .. SpecialTokens.All
                .Concat(ByteAlphabet.Characters.Select(c => c.ToString()))
                .Concat(merges.Select(m => m.Left + m.Right))
                .Distinct(StringComparer.Ordinal),
        ];
        ids = Tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);
    }

    /// <summary>The merges in order of rank.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Token strings by id, in byte-level characters.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Encodes plain text; special tokens inside it are not recognised.</summary>
    public int[] Encode(string text) => [.. PreTokenizer.Split(text).SelectMany(EncodePiece)];

    /// <summary>Decodes ids to text, leaving special tokens out.</summary>
    public string Decode(IEnumerable<int> tokens) =>
        Encoding.UTF8.GetString([.. tokens.Where(id => id >= SpecialTokens.All.Count).SelectMany(id => ByteAlphabet.Decode(Tokens[id]))]);

    /// <summary>Replaces every occurrence of the pair, from left to right.</summary>
    public static void Merge(List<string> symbols, (string Left, string Right) pair)
    {
        for (int i = 0; i + 1 < symbols.Count; i++)
        {
            if (symbols[i] == pair.Left && symbols[i + 1] == pair.Right)
            {
                symbols[i] = pair.Left + pair.Right;
                symbols.RemoveAt(i + 1);
            }
        }
    }

    private int[] EncodePiece(string piece)
    {
        if (cache.TryGetValue(piece, out int[]? known))
            return known;
        List<string> symbols = [.. piece.Select(c => c.ToString())];
        while (LowestRankedPair(symbols) is { } pair)
            Merge(symbols, pair);
        return cache[piece] = [.. symbols.Select(s => ids[s])];
    }

    private (string Left, string Right)? LowestRankedPair(List<string> symbols)
    {
        int lowest = int.MaxValue;
        for (int i = 0; i + 1 < symbols.Count; i++)
        {
            if (ranks.TryGetValue((symbols[i], symbols[i + 1]), out int rank) && rank < lowest)
                lowest = rank;
        }

        return lowest == int.MaxValue ? null : Merges[lowest];
    }
}
