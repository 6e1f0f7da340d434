namespace DeRa.PairTrainer.TextWorld;

/// <summary>How much of a text the grammar accepts.</summary>
/// <param name="Sentences">Sentences in the text.</param>
/// <param name="Accepted">Sentences that the topic's grammar derives, at a position where they may stand, and not said before.</param>
/// <param name="Complete">All sentences accepted, three to five of them.</param>
internal sealed record GrammarVerdict(int Sentences, int Accepted, bool Complete)
{
    /// <summary>Accepted sentences as a share of all, 0 for an empty text.</summary>
    public double Quality => Sentences == 0 ? 0 : (double)Accepted / Sentences;
}

/// <summary>Judges texts by the grammar of their topic.</summary>
internal static class GrammarChecker
{
    private const int FewestSentences = 3;
    private const int MostSentences = 5;

    /// <summary>Checks a response sentence by sentence.</summary>
    public static GrammarVerdict Check(Topic topic, string response)
    {
        TopicGrammar grammar = new(topic);
        List<string> sentences = Sentence.Split(response);
        HashSet<string> seen = [];
        int accepted = 0;
        for (int i = 0; i < sentences.Count; i++)
        {
            IEnumerable<Phrase> allowed = i == 0 ? [grammar.Opening] : i == sentences.Count - 1 ? grammar.Closings : grammar.Middles;
            if (seen.Add(sentences[i]) && Sentence.IsDerivedFrom(sentences[i], allowed))
                accepted++;
        }

        bool complete = accepted == sentences.Count && sentences.Count is >= FewestSentences and <= MostSentences;
        return new GrammarVerdict(sentences.Count, accepted, complete);
    }
}
