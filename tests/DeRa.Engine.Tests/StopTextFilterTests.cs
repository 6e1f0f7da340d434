using DeRa.Engine.Execution;

namespace DeRa.Engine.Tests;

public sealed class StopTextFilterTests
{
    [TestCase("END", "one two END three", "one two ", true)]
    [TestCase("END", "one two EN", "one two EN", false)]
    [TestCase("ab", "aab", "a", true)]
    [TestCase("aab", "aaab", "a", true)]
    [TestCase("\n\n", "first\n\nsecond", "first", true)]
    [TestCase("x", "", "", false)]
    public void Cuts_before_the_stop_text_however_the_text_arrives(string stop, string text, string expected, bool stopped)
    {
        for (int piece = 1; piece <= Math.Max(1, text.Length); piece++)
        {
            var filter = new StopTextFilter([stop]);
            string passed = string.Concat(text.Chunk(piece).Select(part => filter.Append(new string(part))));
            Assert.That(filter.Stopped, Is.EqualTo(stopped));
            Assert.That(stopped ? passed : passed + filter.Flush(), Is.EqualTo(expected), $"pieces of {piece}");
        }
    }

    [Test]
    public void Holds_back_only_what_may_become_a_stop_text()
    {
        var filter = new StopTextFilter(["STOP", "TOP SECRET"]);
        Assert.That(filter.Append("go STO"), Is.EqualTo("go "));
        Assert.That(filter.Append("RE TO"), Is.EqualTo("STORE "));
        Assert.That(filter.Append("P SECRETS"), Is.EqualTo(""));
        Assert.That(filter.Stopped, Is.True);
        Assert.That(filter.Append("more"), Is.EqualTo(""));
    }

    [Test]
    public void The_earliest_of_several_stop_texts_wins()
    {
        var filter = new StopTextFilter(["c", "bc"]);
        Assert.That(filter.Append("abc"), Is.EqualTo("a"));
    }

    [Test]
    public void Without_stop_texts_everything_passes_at_once() =>
        Assert.That(new StopTextFilter([]).Append("text"), Is.EqualTo("text"));
}
