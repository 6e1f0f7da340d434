using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary><c>chat</c> and <c>generate</c> on the bundled pair, over a pipe.</summary>
[NonParallelizable]
public sealed class ChatTests
{
    private const string Question = "Tell me about the fox in the garden.";

    [Test]
    public void A_conversation_answers_and_turns_the_dial()
    {
        string[] common = ["--device", "cpu", "--temperature", "0"];
        Dera.Outcome talk = Dera.Done(["chat", .. common, "--lambda", "0"], $"{Question}\n/lambda 2\n/reset\n{Question}\n/lambda x\n/nonsense\n/quit\nnever read\n");
        string[] answers = talk.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(answers, Is.EqualTo((string[])[Answer("0"), Answer("2")]), "a reset conversation answers as a new one");
        Assert.That(talk.Error, Does.Contain("λ = 2").And.Contain("'x'").And.Contain("/nonsense"));

        string Answer(string lambda) =>
            Dera.Done(["generate", .. common, "--chat", "--prompt", Question, "--lambda", lambda]).Output.TrimEnd('\n');
    }

    [Test]
    public void Several_lambdas_stand_side_by_side()
    {
        string output = Dera.Done(["generate", "--device", "cpu", "--chat", "--prompt", Question, "--lambda", "0:1:0.5", "--temperature", "0"]).Output;
        Assert.That(output, Does.Contain("λ = 0 ").And.Contain("λ = 0.5").And.Contain("λ = 1"));
        Assert.That(output, Does.Contain("KL from reference 0.00").Or.Contain("reference 0.00"));
    }

    [Test]
    public void Prompts_keep_their_ids_and_order()
    {
        string prompts = string.Join('\n', Enumerable.Range(0, 6).Select(i => JsonSerializer.Serialize(new { id = $"p{i}", prompt = Question })));
        JsonElement[] lines = Dera.Done(
            ["generate", "--device", "cpu", "--chat", "--prompts", "-", "--lambda", "0,1", "--seed", "7", "--json", "--top-logprobs", "3"], prompts).Lines;
        Assert.That(lines.Select(line => line.GetProperty("id").GetString()), Is.EqualTo(Enumerable.Range(0, 12).Select(i => $"p{i / 2}")));
        Assert.That(lines.Select(line => line.GetProperty("lambda").GetDouble()), Is.EqualTo(Enumerable.Range(0, 12).Select(i => (double)(i % 2))));
        foreach (JsonElement line in lines)
        {
            Assert.That(line.GetProperty("finish").GetString(), Is.EqualTo("stop"));
            Assert.That(line.GetProperty("top_logprobs").GetArrayLength(), Is.EqualTo(line.GetProperty("tokens").GetArrayLength()));
            Assert.That(line.GetProperty("kl_reference").GetDouble(), line.GetProperty("lambda").GetDouble() == 0 ? Is.Zero : Is.GreaterThan(0));
        }
    }

    [Test]
    public void A_line_draws_by_its_own_seed_as_if_it_were_alone()
    {
        string[] common = ["generate", "--device", "cpu", "--chat", "--lambda", "0.5", "--json"];
        string prompts = string.Join('\n', (string[])
        [
            JsonSerializer.Serialize(new { prompt = Question }),
            JsonSerializer.Serialize(new { prompt = Question, seed = 12345678901234567890UL }),
            JsonSerializer.Serialize(new { prompt = Question, seed = 5 }),
        ]);
        string[] together = Texts([.. common, "--prompts", "-", "--seed", "9"], prompts);
        string[] alone =
        [
            .. ((string[])["9", "12345678901234567890", "5"]).SelectMany(seed => Texts([.. common, "--prompt", Question, "--seed", seed], "")),
        ];
        Assert.That(together, Is.EqualTo(alone).And.Unique);

        static string[] Texts(string[] arguments, string input) =>
            [.. Dera.Done(arguments, input).Lines.Select(line => line.GetProperty("text").GetString()!)];
    }
}
