using System.Text;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>Between a sentence as written and its words: lower-case first word, punctuation marks as words of their own.</summary>
internal static class Sentence
{
    private static readonly char[] Enders = ['.', '!', '?'];

    /// <summary>Writes words as a sentence: capital first letter, no space before punctuation.</summary>
    public static string Render(IReadOnlyList<string> words)
    {
        StringBuilder text = new();
        foreach (string word in words)
        {
            if (text.Length > 0 && !IsPunctuation(word))
                text.Append(' ');
            text.Append(word);
        }

        text[0] = char.ToUpperInvariant(text[0]);
        return text.ToString();
    }

    /// <summary>Cuts a text after every full stop, exclamation or question mark; an unfinished rest is a sentence of its own.</summary>
    public static List<string> Split(string text)
    {
        List<string> sentences = [];
        int start = 0;
        while (start < text.Length)
        {
            int end = text.IndexOfAny(Enders, start);
            end = end < 0 ? text.Length : end + 1;
            sentences.Add(text[start..end]);
            start = end < text.Length && text[end] == ' ' ? end + 1 : end;
        }

        return sentences;
    }

    /// <summary>Whether one of the phrases derives exactly this sentence.</summary>
    public static bool IsDerivedFrom(string sentence, IEnumerable<Phrase> phrases)
    {
        List<string> words = Words(sentence);
        if (words.Count == 0 || Render(words) != sentence)
            return false;
        List<string> lowered = [char.ToLowerInvariant(words[0][0]) + words[0][1..], .. words.Skip(1)];
        return phrases.Any(p => p.Match(words, 0).Contains(words.Count) || p.Match(lowered, 0).Contains(words.Count));
    }

    private static List<string> Words(string sentence)
    {
        List<string> words = [];
        foreach (string chunk in sentence.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string word = chunk.TrimEnd('.', '!', '?', ',');
            if (word.Length > 0)
                words.Add(word);
            words.AddRange(chunk[word.Length..].Select(mark => mark.ToString()));
        }

        return words;
    }

    private static bool IsPunctuation(string word) => word.Length == 1 && ".!?,".Contains(word[0], StringComparison.Ordinal);
}
