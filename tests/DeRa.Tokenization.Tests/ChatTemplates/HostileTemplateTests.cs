using System.Globalization;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Tokenization.Tests.ChatTemplates;

/// <summary>Templates written to exhaust or take over the host end in a typed error.</summary>
public class HostileTemplateTests
{
    private static readonly ChatTemplateLimits Small = new() { MaxSteps = 200_000, MaxAllocation = 8 << 20, MaxStringLength = 1 << 20, MaxOutputLength = 1 << 20 };

    [TestCase("{{ 'a' * 10 ** 9 }}")]
    [TestCase("{{ [0] * 10 ** 9 }}")]
    [TestCase("{{ 10 ** (10 ** 10) }}")]
    [TestCase("{{ 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 999 }}")]
    [TestCase("{{ '%*d' % (10 ** 9, 1) }}")]
    [TestCase("{{ '%999999999d' % 1 }}")]
    [TestCase("{{ '%.999999999f' % 1.5 }}")]
    [TestCase("{{ '{:999999999}'.format(1) }}")]
    [TestCase("{{ '{:>{}}'.format('a', 10 ** 9) }}")]
    [TestCase("{{ 'a'|center(10 ** 9) }}")]
    [TestCase("{{ 'a'.ljust(10 ** 9) }}")]
    [TestCase("{{ 'a'.zfill(10 ** 12) }}")]
    [TestCase("{{ 'a\nb'|indent(10 ** 9) }}")]
    [TestCase("{{ '\t'.expandtabs(10 ** 9) }}")]
    [TestCase("{{ [1]|tojson(indent=10 ** 9) }}")]
    [TestCase("{{ range(10 ** 9) }}")]
    [TestCase("{{ [1]|batch(10 ** 9, 'x')|list }}")]
    [TestCase("{{ [1]|slice(10 ** 9)|list }}")]
    [TestCase("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")]
    [TestCase("{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")]
    [TestCase("{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    [TestCase("{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s.replace('', ns.s) %}{% endfor %}")]
    [TestCase("{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s.join(ns.s) %}{% endfor %}")]
    [TestCase("{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}")]
    [TestCase("{% set ns = namespace(x=1) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}")]
    [TestCase("{% set ns = namespace(x=1) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}")]
    [TestCase("{% set a = namespace(x=1) %}{% set b = namespace(x=1) %}{% for i in range(60) %}{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}{{ a.x == b.x }}")]
    [TestCase("{% set ns = namespace(x=1) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")]
    [TestCase("{% set ns = namespace(x=1) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|tojson }}")]
    [TestCase("{% set ns = namespace(x=1) %}{% set ns.x = ns %}{{ ns }}")]
    [TestCase("{% set ns = namespace(x=[1]) %}{% for i in range(5000) %}{% set ns.x = ns.x|map('string') %}{% endfor %}{{ ns.x|list }}")]
    [TestCase("{% set ns = namespace(x='ab') %}{% for i in range(5000) %}{% set ns.x = ns.x|unique %}{% endfor %}{{ ns.x|first }}")]
    [TestCase("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [TestCase("{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}")]
    [TestCase("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [TestCase("{% for i in range(100000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}")]
    [TestCase("{% set s = 'a' * 500000 %}{{ (s + 'b') in (s + s) }}")]
    [TestCase("{% set s = 'a' * 500000 %}{{ (s + s).count(s + 'b') }}")]
    [TestCase("{{ [].__class__.__base__.__subclasses__() }}")]
    [TestCase("{{ ''.__class__.__mro__[1] }}")]
    [TestCase("{{ '{0.__class__.__init__}'.format('') }}")]
    [TestCase("{{ cycler.__init__.__globals__.os }}")]
    [TestCase("{{ [].append(1) }}")]
    [TestCase("{{ {}.update(a=1) }}")]
    public void EndsInATypedError(string template) =>
        Assert.That(() => TemplateCases.Render(template, limits: Small), Throws.TypeOf<ChatTemplateException>());

    [TestCase("(", ")")]
    [TestCase("[", "]")]
    [TestCase("-", "")]
    [TestCase("not ", "")]
    [TestCase("{1:", "}")]
    [TestCase("x[", "]")]
    [TestCase("x(", ")")]
    [TestCase("x if ", " else 1")]
    [TestCase("1 if 1 else ", "")]
    [TestCase("x + ", "")]
    [TestCase("x ** ", "")]
    [TestCase("x|default(", ")")]
    public void DeepExpressionsEndInATypedError(string before, string after)
    {
        string nested = string.Concat(Enumerable.Repeat(before, 20_000)) + "1" + string.Concat(Enumerable.Repeat(after, 20_000));
        Assert.That(() => ChatTemplate.Parse("{{ " + nested + " }}"), Throws.TypeOf<ChatTemplateException>());
    }

    [TestCase("{% if 1 %}", "{% endif %}")]
    [TestCase("{% for x in y %}", "{% endfor %}")]
    [TestCase("{% with %}", "{% endwith %}")]
    [TestCase("{% filter upper %}", "{% endfilter %}")]
    [TestCase("{% macro m() %}", "{% endmacro %}")]
    [TestCase("{% generation %}", "{% endgeneration %}")]
    public void DeepStatementsEndInATypedError(string before, string after)
    {
        string nested = string.Concat(Enumerable.Repeat(before, 20_000)) + string.Concat(Enumerable.Repeat(after, 20_000));
        Assert.That(() => ChatTemplate.Parse(nested), Throws.TypeOf<ChatTemplateException>());
    }

    /// <summary>Each level of parentheses holds a chain near the limit, so the tree is far deeper than either.</summary>
    [Test]
    public void AChainAtEveryLevelEndsInATypedErrorOnASmallStack()
    {
        string chain = string.Concat(Enumerable.Repeat(".a", 150));
        string expression = string.Concat(Enumerable.Repeat("(", 90)) + "x" + string.Concat(Enumerable.Repeat(")" + chain, 90));
        Exception? error = null;
        var thread = new Thread(() => error = Assert.Catch(() => TemplateCases.Render("{{ " + expression + " }}")), 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.That(error, Is.TypeOf<ChatTemplateException>());
    }

    [Test]
    public void ASourceBeyondTheLimitIsRefused() =>
        Assert.That(() => ChatTemplate.Parse(new string('x', 100), new ChatTemplateLimits { MaxSourceLength = 99 }), Throws.TypeOf<ChatTemplateException>());

    [Test]
    public void ALongConversationStaysWithinTheDefaultLimits()
    {
        ChatMessage[] messages = [.. Enumerable.Range(0, 2000).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", new string('x', 1000)))];
        string rendered = ChatTemplate.Parse("{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}").Render(new ChatTemplateInput(messages));
        Assert.That(rendered, Has.Length.EqualTo((1000 * (1000 + "[user] \n".Length)) + (1000 * (1000 + "[assistant] \n".Length))));
    }

    /// <summary>
    /// Mutates our own templates: whatever comes out either renders or fails with the typed error, within small limits.
    /// </summary>
    [Test]
    public void TwelveThousandMutantsOnlyFailWithTypedErrors()
    {
        string[] seeds = [.. OwnTemplates.All.Select(template => template.Source)];
        string[] fragments =
        [
            "{{", "}}", "{%", "%}", "{#", "#}", "-%}", "{%-", "'", "\"", "(", ")", "[", "]", "|", ".", ",", "~", "%", "**", "9999999999", "-1",
            " if ", " else ", " for ", " in ", " not ", " is ", "none", "loop", "messages", "{% endif %}", "{% endfor %}", "{% else %}", "range(99999)",
            "|tojson", "|list", "|map('upper')", "[::-1]", "* 99999", "\\", "\n", "\uD83D\uDE00", "\uD800", "\0", "{% raw %}", "namespace(a=1)",
        ];
        var random = new Random(20240704);
        ChatTemplateLimits limits = Small with { MaxSteps = 20_000 };
        ChatTemplateInput input = TemplateCases.Input(OwnTemplates.Conversation, new FixedClock());
        int rendered = 0;
        int failed = 0;
        for (int i = 0; i < 12_000; i++)
        {
            string mutant = Mutate(random, seeds[i % seeds.Length], seeds, fragments);
            try
            {
                string text = ChatTemplate.Parse(mutant, limits).Render(input);
                rendered += text.Length <= limits.MaxOutputLength ? 1 : 0;
            }
            catch (ChatTemplateException error)
            {
                failed += error.Message.Length > 0 ? 1 : 0;
            }
            catch (Exception error)
            {
                Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"mutant {i} threw {error}\n{mutant}"));
            }
        }
        Assert.That(rendered + failed, Is.EqualTo(12_000));
        Assert.That(rendered, Is.GreaterThan(1000));
        Assert.That(failed, Is.GreaterThan(1000));
    }

    private static string Mutate(Random random, string text, string[] seeds, string[] fragments)
    {
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            int at = random.Next(text.Length + 1);
            int length = random.Next(Math.Min(12, text.Length - at) + 1);
            string fragment = fragments[random.Next(fragments.Length)];
            string other = seeds[random.Next(seeds.Length)];
            int from = random.Next(other.Length);
            text = random.Next(5) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, fragment),
                2 => text.Remove(at, length).Insert(at, fragment),
                3 => text.Insert(at, other.Substring(from, random.Next(Math.Min(60, other.Length - from) + 1))),
                _ => text.Insert(at, text.Substring(at, length)),
            };
        }
        return text;
    }
}
