namespace DeRa.Evaluation.Tests;

public sealed class RewardTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static RewardSample Sample(string response, int tokens = 1) => new()
    {
        PromptId = "p1",
        Prompt = "Say it.",
        PromptTokens = [1],
        Response = response,
        ResponseTokens = [.. Enumerable.Range(0, tokens)],
        Lambda = 0.5f,
        Sample = 0,
    };

    [TestCase(39, -1)]
    [TestCase(40, 0)]
    [TestCase(50, 0)]
    [TestCase(51, -1)]
    public void Length_is_rewarded_within_its_range(int tokens, double expected) =>
        Assert.That(LengthReward.Parse("40-50").Score(Sample("", tokens)), Is.EqualTo(expected));

    [TestCase("50-40")]
    [TestCase("40")]
    [TestCase("a-b")]
    [TestCase("-5-3")]
    public void A_range_of_another_form_is_refused(string range) =>
        Assert.That(() => LengthReward.Parse(range), Throws.TypeOf<EvaluationException>().With.Message.Contains(range));

    [Test]
    public void A_pattern_matches_or_does_not()
    {
        var reward = new RegexReward("^no+\\b", Patience);
        Assert.That(reward.Score(Sample("nooo way")), Is.EqualTo(1));
        Assert.That(reward.Score(Sample("yes, no")), Is.Zero);
    }

    [Test]
    public void A_pattern_that_explodes_under_backtracking_answers_at_once() =>
        Assert.That(new RegexReward("^(a+)+$", TimeSpan.FromSeconds(5)).Score(Sample(new string('a', 5000) + "b")), Is.Zero);

    [Test]
    public void A_pattern_that_needs_backtracking_and_explodes_is_stopped()
    {
        var reward = new RegexReward("^(?=(a+)+$)", TimeSpan.FromMilliseconds(200));
        Assert.That(() => reward.Score(Sample(new string('a', 40) + "b")), Throws.TypeOf<RewardException>().With.Message.Contains("prompt p1"));
    }

    [Test]
    public void A_malformed_pattern_is_refused() =>
        Assert.That(() => new RegexReward("(", Patience), Throws.TypeOf<EvaluationException>().With.Message.Contains("regex:("));

    [Test]
    public void Words_of_a_list_are_counted_whatever_their_case()
    {
        string file = Write("# warm words\nLovely\njoy\t2.5\n\nété\n"u8);
        LexiconReward reward = LexiconReward.Load(file);
        Assert.That(reward.Score(Sample("A LOVELY, lovely day; joyful JOY. Été!")), Is.EqualTo(1 + 1 + 2.5 + 1));
        Assert.That(reward.ContentHash, Has.Length.EqualTo(64));
    }

    [TestCase("two words\n", "line 1")]
    [TestCase("ok\nok\n", "line 2")]
    [TestCase("ok\tmuch\n", "line 1")]
    [TestCase("# nothing\n", "at least one word")]
    public void A_list_of_another_form_is_refused(string content, string named)
    {
        string file = Write(System.Text.Encoding.UTF8.GetBytes(content));
        Assert.That(() => LexiconReward.Load(file), Throws.TypeOf<EvaluationException>().With.Message.Contains(named));
    }

    [Test]
    public void A_list_in_another_encoding_is_refused()
    {
        Assert.That(() => LexiconReward.Load(Write([(byte)'a', (byte)'\n', 0xE9, (byte)'\n'])), Throws.TypeOf<EvaluationException>().With.Message.Contains("line 2"));
        Assert.That(() => LexiconReward.Load(Write([0xFF, 0xFE, (byte)'a', 0])), Throws.TypeOf<EvaluationException>().With.Message.Contains("UTF-16"));
    }

    [TestCase("length")]
    [TestCase("command:")]
    [TestCase("sentiment:x")]
    public void An_unknown_form_is_refused(string form) =>
        Assert.That(async () => await new RewardFactory(Patience).CreateAsync(form), Throws.TypeOf<EvaluationException>().With.Message.Contains(form));

    [Test]
    public void A_reward_given_twice_is_refused() =>
        Assert.That(async () => await new RewardFactory(Patience).CreateAllAsync(["length:1-2", "length:1-2"]), Throws.TypeOf<EvaluationException>().With.Message.Contains("twice"));

    private static string Write(ReadOnlySpan<byte> content)
    {
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.txt");
        File.WriteAllBytes(file, content);
        return file;
    }
}
