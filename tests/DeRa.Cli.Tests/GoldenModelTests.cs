using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary>The command line's promises against Hugging Face's own code, on every architecture.</summary>
[NonParallelizable]
public sealed class GoldenModelTests
{
    private const double LogitTolerance = 5e-4; // float32 arithmetic; see the fixtures' README
    private const double CloseMargin = 2e-3;    // below it float32 may choose the other token

    [TestCaseSource(typeof(Golden), nameof(Golden.ModelCases))]
    public void Logits_agree_at_every_position(string name)
    {
        string folder = Path.Combine(Golden.Models, name);
        JsonElement golden = Golden.Read(Path.Combine(folder, "golden.json"));
        string output = Path.GetTempFileName();
        foreach (JsonElement sequence in golden.GetProperty("sequences").EnumerateArray())
        {
            foreach (string side in (string[])["ref", "aligned"])
            {
                Dera.Done(["logits", "--device", "cpu", "--model", Path.Combine(folder, side), "--tokens", Ids(sequence.GetProperty("input_ids")), "--out", output]);
                float[] got = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output)).ToArray();
                float[] expected = Golden.Tensor(folder, golden, $"{sequence.GetProperty("id").GetString()}.{side}.logits");
                Assert.That(got, Is.EqualTo(expected).Within(LogitTolerance), $"{name} {side}");
            }
        }

        File.Delete(output);
    }

    [Test]
    public void Stored_tensors_without_use_are_named()
    {
        string whole = Path.Combine(Golden.Models, "llama_basic", "ref"), folder = Directory.CreateTempSubdirectory().FullName;
        File.Copy(Path.Combine(whole, "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        string config = File.ReadAllText(Path.Combine(whole, "config.json"));
        File.WriteAllText(Path.Combine(folder, "config.json"), config.Replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", StringComparison.Ordinal));
        string logits = Path.Combine(folder, "logits.bin");
        const string named = "config.json has no use for 9 of the stored tensors: model.layers.2.input_layernorm.weight, ";
        Assert.That(Dera.Done(["logits", "--device", "cpu", "--model", folder, "--tokens", "1,2", "--out", logits]).Error, Does.Contain($"{folder}: {named}"));
        Assert.That(
            Dera.Done(["generate", "--device", "cpu", "--reference", folder, "--aligned", whole, "--tokens", "1", "--max-tokens", "1", "--json"]).Error,
            Does.Contain(named).And.Not.Contain($"{whole}:"));
        Directory.Delete(folder, recursive: true);
    }

    [TestCaseSource(typeof(Golden), nameof(Golden.ModelCases))]
    public void Greedy_continuations_agree_at_every_lambda(string name)
    {
        string folder = Path.Combine(Golden.Models, name);
        JsonElement golden = Golden.Read(Path.Combine(folder, "golden.json"));
        foreach (JsonElement pair in golden.GetProperty("pairs").EnumerateArray())
        {
            JsonElement[] mixtures = [.. pair.GetProperty("lambdas").EnumerateArray()];
            JsonElement[] lines = Dera.Done(
            [
                "generate", "--device", "cpu", "--reference", Path.Combine(folder, "ref"), "--aligned", Path.Combine(folder, "aligned"),
                "--tokens", Ids(Sequence(golden, pair)), "--lambda", Lambdas(mixtures), "--temperature", "0", "--max-tokens", "16", "--ignore-eos", "--json",
            ]).Lines;
            Assert.That(lines, Has.Length.EqualTo(mixtures.Length));
            foreach ((JsonElement line, JsonElement mixture) in lines.Zip(mixtures))
            {
                int[] expected = mixture.GetProperty("greedy").Ints();
                double[] margins = mixture.GetProperty("greedy_margins").Doubles();
                int compared = Array.FindIndex(margins, margin => margin < CloseMargin) is var close && close >= 0 ? close : expected.Length;
                Assert.That(line.GetProperty("tokens").Ints().Take(compared), Is.EqualTo(expected.Take(compared)), $"{name}, λ = {mixture.GetProperty("lambda")}");
                Assert.That(line.GetProperty("finish").GetString(), Is.EqualTo("length"));
            }
        }
    }

    [TestCaseSource(typeof(Golden), nameof(Golden.ModelCases))]
    public void Scores_agree_at_every_lambda(string name)
    {
        string folder = Path.Combine(Golden.Models, name);
        JsonElement golden = Golden.Read(Path.Combine(folder, "golden.json"));
        JsonElement[] pairs = [.. golden.GetProperty("pairs").EnumerateArray()];
        string input = string.Join('\n', pairs.Select(pair => JsonSerializer.Serialize(new
        {
            id = pair.GetProperty("seq").GetString(),
            tokens = Sequence(golden, pair).Ints().Concat(pair.GetProperty("continuation").Ints()),
            from = Sequence(golden, pair).GetArrayLength(),
        })));
        JsonElement[] lines = Dera.Done(
            [
                "score", "--device", "cpu", "--reference", Path.Combine(folder, "ref"), "--aligned", Path.Combine(folder, "aligned"),
                "--lambda", Lambdas([.. pairs[0].GetProperty("lambdas").EnumerateArray()]),
            ],
            input).Lines;
        Assert.That(lines.Select(line => line.GetProperty("id").GetString()), Is.EqualTo(pairs.Select(pair => pair.GetProperty("seq").GetString())));
        foreach ((JsonElement line, JsonElement pair) in lines.Zip(pairs))
        {
            foreach ((JsonElement score, JsonElement expected) in line.GetProperty("lambdas").EnumerateArray().Zip(pair.GetProperty("lambdas").EnumerateArray()))
            {
                double lambda = expected.GetProperty("lambda").GetDouble();
                double tolerance = LogitTolerance * (Math.Abs(1 - lambda) + Math.Abs(lambda));
                string what = $"{name}, λ = {lambda}";
                Assert.That(score.GetProperty("lambda").GetDouble(), Is.EqualTo(lambda).Within(1e-6));
                Assert.That(score.GetProperty("token_logprobs").Doubles(), Is.EqualTo(expected.GetProperty("continuation_token_logprobs").Doubles()).Within(tolerance), what);
                Assert.That(score.GetProperty("kl_reference").Doubles(), Is.EqualTo(expected.GetProperty("kl_mix_ref_per_token").Doubles()).Within(tolerance), what);
                Assert.That(score.GetProperty("kl_aligned").Doubles(), Is.EqualTo(expected.GetProperty("kl_mix_aligned_per_token").Doubles()).Within(tolerance), what);
                Assert.That(score.GetProperty("log_likelihood").GetDouble(), Is.EqualTo(expected.GetProperty("continuation_logprob").GetDouble()).Within(12 * tolerance), what);
                Assert.That(score.GetProperty("sequence_gap").GetDouble(), Is.EqualTo(score.GetProperty("log_normalizer").Doubles().Sum()).Within(1e-9), what);
            }
        }
    }

    private static JsonElement Sequence(JsonElement golden, JsonElement pair) => golden.GetProperty("sequences").EnumerateArray()
        .Single(sequence => sequence.GetProperty("id").GetString() == pair.GetProperty("seq").GetString()).GetProperty("input_ids");

    private static string Ids(JsonElement ids) => string.Join(',', ids.Ints());

    private static string Lambdas(JsonElement[] mixtures) =>
        string.Join(',', mixtures.Select(mixture => mixture.GetProperty("lambda").GetDouble().ToString(CultureInfo.InvariantCulture)));
}
