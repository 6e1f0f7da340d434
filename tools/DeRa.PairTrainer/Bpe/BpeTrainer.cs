namespace DeRa.PairTrainer.Bpe;

/// <summary>
/// Learns byte-pair merges (Sennrich et al., 2016): count adjacent pairs over all words, merge the most frequent one, repeat.
/// Ties go to the pair that sorts first, so the same corpus always gives the same merges.
/// </summary>
internal static class BpeTrainer
{
    /// <summary>Learns merges until the vocabulary has <paramref name="vocabularySize"/> entries or no pair occurs twice.</summary>
    /// <param name="texts">The corpus.</param>
    /// <param name="vocabularySize">Special tokens, 256 bytes and merges together.</param>
    public static BpeTokenizer Train(IEnumerable<string> texts, int vocabularySize)
    {
        Dictionary<string, int> wordCounts = new(StringComparer.Ordinal);
        foreach (string piece in texts.SelectMany(PreTokenizer.Split))
            wordCounts[piece] = wordCounts.GetValueOrDefault(piece) + 1;
        List<(List<string> Symbols, int Count)> words =
            [.. wordCounts.OrderBy(w => w.Key, StringComparer.Ordinal).Select(w => (w.Key.Select(c => c.ToString()).ToList(), w.Value))];

        List<(string Left, string Right)> merges = [];
        int mergeLimit = vocabularySize - SpecialTokens.All.Count - 256;
        while (merges.Count < mergeLimit && MostFrequentPair(words) is { } pair)
        {
            merges.Add(pair);
            foreach ((List<string> symbols, _) in words)
                BpeTokenizer.Merge(symbols, pair);
        }

        return new BpeTokenizer(merges);
    }

    private static (string Left, string Right)? MostFrequentPair(List<(List<string> Symbols, int Count)> words)
    {
        Dictionary<(string, string), int> counts = [];
        foreach ((List<string> symbols, int count) in words)
        {
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                (string, string) pair = (symbols[i], symbols[i + 1]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
            }
        }

        (string Left, string Right)? best = null;
        int bestCount = 1;
        foreach (((string Left, string Right) pair, int count) in counts)
        {
            if (count > bestCount || (count == bestCount && best is { } b && Compare(pair, b) < 0))
                (best, bestCount) = (pair, count);
        }

        return best;
    }

    private static int Compare((string Left, string Right) x, (string Left, string Right) y)
    {
        int left = string.CompareOrdinal(x.Left, y.Left);
        return left != 0 ? left : string.CompareOrdinal(x.Right, y.Right);
    }
}
