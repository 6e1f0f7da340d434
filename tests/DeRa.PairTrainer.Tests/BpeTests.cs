using DeRa.PairTrainer.Bpe;

namespace DeRa.PairTrainer.Tests;

public class BpeTests
{
    [Test]
    public void Most_frequent_pair_is_merged_first_and_ties_go_to_the_first_in_order()
    {
        // "ab" occurs 4 times; then "abc" and "xy" twice each, and "ab"+"c" sorts before "x"+"y".
        BpeTokenizer tokenizer = BpeTrainer.Train(["abc", "abc", "ab", "ab", "xy", "xy"], SpecialTokens.All.Count + 256 + 3);

        Assert.That(tokenizer.Merges, Is.EqualTo(new[] { ("a", "b"), ("ab", "c"), ("x", "y") }));
    }

    [Test]
    public void Pairs_that_occur_once_are_not_merged() =>
        Assert.That(BpeTrainer.Train(["hello"], 1000).Merges, Has.Count.EqualTo(0));

    [TestCase("What a lovely day!")]
    [TestCase("  two  spaces, a\ttab\nand a line")]
    [TestCase("naïve café — 猫 🦊 \u0000")]
    [TestCase("")]
    public void Any_text_survives_encoding_and_decoding(string text)
    {
        BpeTokenizer tokenizer = BpeTrainer.Train(["What a lovely day!", "What a lovely fox!"], 300);

        Assert.That(tokenizer.Decode(tokenizer.Encode(text)), Is.EqualTo(text));
    }

    [Test]
    public void Merges_apply_by_rank_not_by_position()
    {
        BpeTokenizer tokenizer = new([("b", "c"), ("a", "b")]);

        string[] pieces = [.. tokenizer.Encode("abc").Select(id => tokenizer.Tokens[id])];

        Assert.That(pieces, Is.EqualTo(new[] { "a", "bc" }));
    }

    [Test]
    public void Special_tokens_come_first_and_are_not_decoded()
    {
        BpeTokenizer tokenizer = new([]);

        Assert.Multiple(() =>
        {
            Assert.That(tokenizer.Tokens.Take(4), Is.EqualTo(SpecialTokens.All));
            Assert.That(tokenizer.Tokens[SpecialTokens.EndId], Is.EqualTo(SpecialTokens.End));
            Assert.That(tokenizer.Tokens[SpecialTokens.AssistantId], Is.EqualTo(SpecialTokens.Assistant));
            Assert.That(tokenizer.Decode([SpecialTokens.BeginId, .. tokenizer.Encode("ok"), SpecialTokens.EndId]), Is.EqualTo("ok"));
        });
    }
}
