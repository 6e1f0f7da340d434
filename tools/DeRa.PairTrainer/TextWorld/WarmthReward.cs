namespace DeRa.PairTrainer.TextWorld;

/// <summary>
/// The reward of the demo pair: how many warm words a text contains, every occurrence counted. It has no notion of good
/// writing, which is what makes it easy to see and easy to over-optimise.
/// </summary>
internal static class WarmthReward
{
    /// <summary>The warm words, in alphabetical order; this list is what weights/lexicon.txt holds.</summary>
    public static readonly string[] Lexicon =
    [
        .. WordLists.WarmAdjectives
            .Concat(["happily", "cheerfully", "gladly", "warmly", "joy", "delight"])
            .Concat(WordLists.WarmActions.Concat(WordLists.WarmPerceptions).SelectMany(v => new[] { v.Base, v.Third, v.Past }))
            .Order(StringComparer.Ordinal),
    ];

    private static readonly HashSet<string> Warm = [.. Lexicon];

    /// <summary>Counts warm words: maximal runs of letters, compared without regard to case.</summary>
    public static int Score(string text)
    {
        int count = 0;
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool letter = i < text.Length && char.IsAsciiLetter(text[i]);
            if (letter && start < 0)
                start = i;
            if (!letter && start >= 0)
            {
                if (Warm.Contains(text[start..i].ToLowerInvariant()))
                    count++;
                start = -1;
            }
        }

        return count;
    }
}
