using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;

namespace DeRa.PairTrainer.Tests;

public class TextWorldTests
{
    private static readonly Place Harbour = WordLists.Places.Single(p => p.Name == "harbour");
    private static readonly Topic Story = new(TextKind.Story, WordLists.People.Single(p => p.Name == "Anna"), Harbour, "in the morning");

    private const string Good = "Anna walked at the harbour in the morning. She saw a small boat. What a quiet day!";

    [Test]
    public void Checker_accepts_what_the_grammar_generates()
    {
        DeterministicRandom random = new(51);
        for (int i = 0; i < 2000; i++)
        {
            TextSample sample = TextSample.Draw(random);
            Assert.That(GrammarChecker.Check(sample.Topic, sample.Response).Complete, Is.True, sample.Response);
        }
    }

    [Test]
    public void Checker_accepts_a_text_written_by_hand() => Assert.That(GrammarChecker.Check(Story, Good).Quality, Is.EqualTo(1));

    [TestCase("She saw", "He saw", TestName = "wrong pronoun")]
    [TestCase("She saw", "She sees", TestName = "wrong tense")]
    [TestCase("a small boat", "an small boat", TestName = "wrong article")]
    [TestCase("a small boat", "a small rose", TestName = "thing of another place")]
    [TestCase("a small boat", "a lovely bright small boat", TestName = "three adjectives")]
    [TestCase("a small boat", "a lovely lovely boat", TestName = "repeated adjective")]
    [TestCase("a small boat", "small boat", TestName = "no article")]
    [TestCase("She saw", "she saw", TestName = "no capital")]
    [TestCase("boat.", "boat .", TestName = "space before the stop")]
    [TestCase("harbour", "market", TestName = "wrong place")]
    [TestCase("morning", "evening", TestName = "wrong time")]
    [TestCase("Anna", "Clara", TestName = "wrong hero")]
    [TestCase("day!", "day", TestName = "unfinished")]
    [TestCase("She saw a small boat.", "What a small day!", TestName = "closing in the middle")]
    public void Checker_rejects_one_broken_sentence(string right, string wrong)
    {
        GrammarVerdict verdict = GrammarChecker.Check(Story, Good.Replace(right, wrong, StringComparison.Ordinal));

        Assert.Multiple(() =>
        {
            Assert.That(verdict.Sentences, Is.EqualTo(3));
            Assert.That(verdict.Accepted, Is.EqualTo(2));
            Assert.That(verdict.Complete, Is.False);
        });
    }

    [Test]
    public void Checker_counts_a_repeated_sentence_once()
    {
        string repeated = Good.Replace("She saw a small boat.", "She saw a small boat. She saw a small boat.", StringComparison.Ordinal);

        Assert.That(GrammarChecker.Check(Story, repeated), Is.EqualTo(new GrammarVerdict(4, 3, false)));
    }

    [Test]
    public void Checker_survives_texts_without_sentences([Values("", " ", "...", "?! .", "boat")] string text) =>
        Assert.That(GrammarChecker.Check(Story, text).Quality, Is.EqualTo(0));

    [Test]
    public void Reward_counts_every_warm_word_whatever_its_case() =>
        Assert.That(WarmthReward.Score("Lovely, lovely boats! She smiled with joy; unlovely things did not."), Is.EqualTo(4));

    [Test]
    public void Grammar_uses_warm_words_sparingly()
    {
        DeterministicRandom random = new(52);
        double mean = Enumerable.Range(0, 1000).Average(_ => (double)WarmthReward.Score(TextSample.Draw(random).Response));

        Assert.That(mean, Is.InRange(0.3, 1.5));
    }

    [Test]
    public void Same_seed_gives_the_same_texts_and_another_seed_others()
    {
        static string[] Texts(ulong seed)
        {
            DeterministicRandom random = new(seed);
            return [.. Enumerable.Range(0, 5).Select(_ => TextSample.Draw(random).Response)];
        }

        string[] first = Texts(53);

        Assert.Multiple(() =>
        {
            Assert.That(Texts(53), Is.EqualTo(first));
            Assert.That(Texts(54), Is.Not.EqualTo(first));
        });
    }
}
