using System.Text.Json.Nodes;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Tokenization.Tests.ChatTemplates;

/// <summary>The public surface: inputs, errors and templates of our own.</summary>
public class ChatTemplateTests
{
    private static IEnumerable<TestCaseData> Own() =>
        OwnTemplates.All.Select(template => new TestCaseData(template.Source, template.Expected).SetArgDisplayNames(template.Name));

    [TestCaseSource(nameof(Own))]
    public void RendersTemplatesOfOurOwn(string source, string expected) =>
        Assert.That(TemplateCases.Render(source, OwnTemplates.Conversation, new FixedClock()), Is.EqualTo(expected));

    [Test]
    public void TakesPlainMessages()
    {
        var template = ChatTemplate.Parse("{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m['content'] }}\n{% endfor %}{{ add_generation_prompt }} {{ tools }}");
        var input = new ChatTemplateInput([new ChatMessage("user", "Hi"), new ChatMessage("assistant", "Hello")]) { AddGenerationPrompt = true };
        Assert.That(template.Render(input.Set("bos_token", "<s>")), Is.EqualTo("<s>user: Hi\nassistant: Hello\nTrue None"));
    }

    [Test]
    public void TakesJsonNodesAndKeepsNumbersAndKeyOrder()
    {
        JsonNode messages = JsonNode.Parse("""[{"z": 1, "a": 1.0, "big": 18446744073709551616, "e": 1e2}]""")!;
        var input = new ChatTemplateInput(messages).Set("nothing", (JsonNode?)null).Set("flag", true);
        Assert.That(
            ChatTemplate.Parse("{{ messages }}{{ messages | tojson }}{{ nothing }}{{ flag }}").Render(input),
            Is.EqualTo("[{'z': 1, 'a': 1.0, 'big': 18446744073709551616, 'e': 100.0}][{\"z\": 1, \"a\": 1.0, \"big\": 18446744073709551616, \"e\": 100.0}]NoneTrue"));
    }

    [Test]
    public void RaiseExceptionGivesTheTemplatesOwnMessage()
    {
        var error = Assert.Throws<ChatTemplateRaisedException>(() => TemplateCases.Render("a\n{{ raise_exception('no \"system\" here: ' ~ 1.0) }}"));
        Assert.That(error!.Message, Is.EqualTo("no \"system\" here: 1.0"));
        Assert.That(error.Line, Is.EqualTo(2));
    }

    [TestCase("a\n\n{{ missing.name }}", 3, "'missing' is undefined")]
    [TestCase("a\n{{ 'a' + 1 }}", 2, "can only concatenate str (not \"int\") to str")]
    [TestCase("{% if true %}\n\n{{ 1 | nonsense }}\n{% endif %}", 3, "filter 'nonsense'")]
    [TestCase("\n{% include 'other' %}", 2, "{% include %}")]
    [TestCase("\n\n{% trans %}", 3, "{% trans %}")]
    [TestCase("a\n{% for x in y %}", 2, "{% endfor %}")]
    [TestCase("{% set x = 'line\nline' %}\n{{ [].append(1) }}", 3, "access to attribute 'append' of 'list' object is unsafe.")]
    public void ErrorsNameLineAndConstruct(string template, int line, string problem)
    {
        var error = Assert.Throws<ChatTemplateException>(() => TemplateCases.Render(template));
        Assert.That(error!.Line, Is.EqualTo(line));
        Assert.That(error.Message, Does.Contain(problem).And.Contain($"line {line}"));
    }

    [Test]
    public void TheClockIsTheInputs() =>
        Assert.That(TemplateCases.Render("{{ strftime_now('%d %b %Y, %H:%M') }}", clock: new FixedClock()), Is.EqualTo("04 Jul 2024, 05:06"));

    [Test]
    public void OneTemplateRendersOnManyThreads()
    {
        var template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.content|int %}{% endfor %}{{ ns.n }}");
        var results = new string[64];
        Parallel.For(0, results.Length, i => results[i] = template.Render(new ChatTemplateInput([new ChatMessage("user", $"{i}"), new ChatMessage("user", "1")])));
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, results.Length).Select(i => $"{i + 1}")));
    }
}
