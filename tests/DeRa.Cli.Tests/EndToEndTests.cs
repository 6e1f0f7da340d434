using System.Globalization;
using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary>Text in, text out, through tokenizer, template, both models and the detokenizer, as Hugging Face does it.</summary>
[NonParallelizable]
public sealed class EndToEndTests
{
    [TestCase("e2e_zephyr")]
    [TestCase("e2e_qwen2")]
    public void Generations_agree(string name)
    {
        string folder = Golden.Shared(Path.Combine("e2e", name));
        foreach (JsonElement item in Golden.Read(Path.Combine(folder, "golden_e2e.json")).GetProperty("items").EnumerateArray())
        {
            bool chat = item.GetProperty("kind").GetString() == "chat";
            string prompts = Path.GetTempFileName();
            File.WriteAllText(prompts, chat
                ? $$"""{"messages": {{item.GetProperty("messages").GetRawText()}}}""".ReplaceLineEndings(" ")
                : $$"""{"prompt": {{item.GetProperty("text").GetRawText()}}}""");
            JsonElement[] generations = [.. item.GetProperty("generations").EnumerateArray()];
            string lambdas = string.Join(',', generations.Select(one => one.GetProperty("lambda").GetDouble().ToString(CultureInfo.InvariantCulture)));
            string[] common =
            [
                "generate", "--device", "cpu", "--reference", Path.Combine(folder, "ref"), "--aligned", Path.Combine(folder, "aligned"),
                "--prompts", prompts, "--lambda", lambdas, "--temperature", "0", "--max-tokens", "20", "--json",
            ];
            JsonElement[] through = Dera.Done([.. common, "--ignore-eos"]).Lines, stopped = Dera.Done(common).Lines;
            Assert.That(through, Has.Length.EqualTo(generations.Length));
            for (int i = 0; i < generations.Length; i++)
            {
                string what = $"{item.GetProperty("text").GetRawText()}, λ = {generations[i].GetProperty("lambda")}";
                Assert.That(through[i].GetProperty("prompt_tokens").Ints(), Is.EqualTo(item.GetProperty("input_ids").Ints()), what);
                if (generations[i].GetProperty("min_margin").GetDouble() < 2e-3)
                {
                    continue;
                }

                Assert.That(through[i].GetProperty("tokens").Ints(), Is.EqualTo(generations[i].GetProperty("greedy").Ints()), what);
                Assert.That(through[i].GetProperty("text").GetString(), Is.EqualTo(generations[i].GetProperty("text").GetString()), what);
                Assert.That(stopped[i].GetProperty("tokens").Ints(), Is.EqualTo(generations[i].GetProperty("greedy_stopped").Ints()), what);
                Assert.That(stopped[i].GetProperty("text").GetString(), Is.EqualTo(generations[i].GetProperty("text_stopped").GetString()), what);
                Assert.That(stopped[i].GetProperty("finish").GetString(), Is.EqualTo(generations[i].GetProperty("finish").GetString() == "eos" ? "stop" : "length"), what);
            }

            File.Delete(prompts);
        }
    }
}
