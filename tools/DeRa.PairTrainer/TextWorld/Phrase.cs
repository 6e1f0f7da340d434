using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>
/// A piece of grammar that can both produce words and recognise them. One definition serves the generator and the checker, so
/// the checker accepts whatever the generator can say, and nothing else.
/// </summary>
internal abstract class Phrase
{
    /// <summary>Appends one random derivation to <paramref name="words"/>.</summary>
    public abstract void Sample(DeterministicRandom random, List<string> words);

    /// <summary>Every position at which a derivation that starts at <paramref name="start"/> can end.</summary>
    public abstract IEnumerable<int> Match(IReadOnlyList<string> words, int start);

    /// <summary>Fixed words, written with spaces between them.</summary>
    public static Phrase Words(string text) => new Literal(text.Split(' '));

    /// <summary>One of several texts, all equally likely.</summary>
    public static Phrase AnyOf(params IEnumerable<string> texts) => new Choice([.. texts.Select(t => (1.0, Words(t)))]);

    /// <summary>One of several phrases, in proportion to the weights.</summary>
    public static Phrase Weighted(params (double Weight, Phrase Phrase)[] options) => new Choice(options);

    /// <summary>The phrase with probability <paramref name="probability"/>, otherwise nothing.</summary>
    public static Phrase Maybe(double probability, Phrase phrase) =>
        new Choice([(probability, phrase), (1 - probability, new Literal([]))]);

    /// <summary>The phrases one after another.</summary>
    public static Phrase Sequence(params Phrase[] parts) => new Concatenation(parts);

    /// <summary>A phrase behind the indefinite article that its first letter asks for.</summary>
    public static Phrase Indefinite(Phrase phrase) => new IndefiniteArticle(phrase);

    /// <summary>The article that goes before a word: "an" before a written vowel, else "a".</summary>
    public static string ArticleFor(string word) => "aeiou".Contains(word[0], StringComparison.Ordinal) ? "an" : "a";

    private sealed class Literal(string[] literal) : Phrase
    {
        public override void Sample(DeterministicRandom random, List<string> words) => words.AddRange(literal);

        public override IEnumerable<int> Match(IReadOnlyList<string> words, int start)
        {
            if (start + literal.Length > words.Count)
                yield break;
            for (int i = 0; i < literal.Length; i++)
            {
                if (words[start + i] != literal[i])
                    yield break;
            }

            yield return start + literal.Length;
        }
    }

    private sealed class Choice((double Weight, Phrase Phrase)[] options) : Phrase
    {
        private readonly double total = options.Sum(o => o.Weight);

        public override void Sample(DeterministicRandom random, List<string> words)
        {
            double remaining = random.NextDouble() * total;
            int chosen = 0;
            while (chosen < options.Length - 1 && (remaining -= options[chosen].Weight) >= 0)
                chosen++;
            options[chosen].Phrase.Sample(random, words);
        }

        public override IEnumerable<int> Match(IReadOnlyList<string> words, int start) =>
            options.SelectMany(option => option.Phrase.Match(words, start)).Distinct();
    }

    private sealed class Concatenation(Phrase[] parts) : Phrase
    {
        public override void Sample(DeterministicRandom random, List<string> words)
        {
            foreach (Phrase part in parts)
                part.Sample(random, words);
        }

        public override IEnumerable<int> Match(IReadOnlyList<string> words, int start)
        {
            IEnumerable<int> ends = [start];
            foreach (Phrase part in parts)
                ends = [.. ends.SelectMany(end => part.Match(words, end)).Distinct()];
            return ends;
        }
    }

    private sealed class IndefiniteArticle(Phrase phrase) : Phrase
    {
        public override void Sample(DeterministicRandom random, List<string> words)
        {
            int article = words.Count;
            words.Add(string.Empty);
            phrase.Sample(random, words);
            words[article] = ArticleFor(words[article + 1]);
        }

        public override IEnumerable<int> Match(IReadOnlyList<string> words, int start)
        {
            if (start + 1 >= words.Count || words[start] != ArticleFor(words[start + 1]))
                return [];
            return phrase.Match(words, start + 1);
        }
    }
}
