using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>
/// Zero, one or two different adjectives before a noun. Three in a row, or the same one twice, is not in the grammar: this is
/// the rule that an over-optimised model breaks first.
/// </summary>
/// <param name="minimum">Fewest adjectives, 0 or 1.</param>
/// <param name="warmShare">Probability that an adjective is a warm one.</param>
internal sealed class Adjectives(int minimum, double warmShare) : Phrase
{
    private const int Maximum = 2;
    private const double NoneProbability = 0.45;
    private const double SecondProbability = 0.12;

    /// <inheritdoc/>
    public override void Sample(DeterministicRandom random, List<string> words)
    {
        if (minimum == 0 && random.NextDouble() < NoneProbability)
            return;
        string first = SampleOne(random);
        words.Add(first);
        if (random.NextDouble() < SecondProbability)
        {
            string second = SampleOne(random);
            if (second != first)
                words.Add(second);
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<int> Match(IReadOnlyList<string> words, int start)
    {
        if (minimum == 0)
            yield return start;
        int count = 0;
        while (count < Maximum && start + count < words.Count && IsAdjective(words[start + count])
            && (count == 0 || words[start + count] != words[start]))
        {
            yield return start + ++count;
        }
    }

    private string SampleOne(DeterministicRandom random) =>
        random.Pick(random.NextDouble() < warmShare ? WordLists.WarmAdjectives : WordLists.PlainAdjectives);

    private static bool IsAdjective(string word) =>
        WordLists.PlainAdjectives.Contains(word) || WordLists.WarmAdjectives.Contains(word);
}
