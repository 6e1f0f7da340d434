using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Cli.Tests;

/// <summary>
/// <c>sweep --reward model:DIR</c>. The scalar head is one row of the aligned model's output matrix, so that a reward is a logit, which <c>logits</c> gives.
/// </summary>
[NonParallelizable]
public sealed class RewardModelTests
{
    private const int Row = 300;

    private static readonly string Aligned = Path.Combine(Golden.Root, "weights", "aligned");

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory().FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private string In(string name) => Path.Combine(folder, name);

    private string[] Sweep(string prompts) =>
    [
        "sweep", "--device", "cpu", "--prompts", In(prompts), "--output", In("sweep"), "--lambda", "0,1", "--samples", "2", "--max-tokens", "6", "--bootstrap", "100",
        "--reward", "model:" + In("judge"), "--reward", "length:2-4",
    ];

    [Test]
    public void Without_a_tokenizer_the_model_judges_the_pairs_ids()
    {
        WriteRewardModel(tokenizer: false);
        int[][] prompts = [[0, 40, 41], [0, 100, 7, 300]];
        File.WriteAllLines(In("prompts.jsonl"), prompts.Select(ids => $"{{\"tokens\": [{string.Join(',', ids)}]}}"));
        Dera.Done(Sweep("prompts.jsonl"));
        JsonElement[] lines = Results();
        Assert.That(lines, Has.Length.EqualTo(8));
        foreach (JsonElement line in lines)
        {
            int[] response = line.GetProperty("tokens").Ints()[..line.GetProperty("length").GetInt32()];
            Assert.That(Reward(line), Is.EqualTo(Logit([.. prompts[line.GetProperty("prompt_index").GetInt32()], .. response])).Within(1e-4));
        }

        JsonElement summary = Golden.Read(In("sweep/summary.json")).GetProperty("lambdas")[0].GetProperty("rewards").GetProperty("model:" + In("judge"));
        double mean = lines.Where(line => line.GetProperty("lambda").GetDouble() == 0).Average(Reward);
        Assert.That(summary.GetProperty("reward").GetProperty("mean").GetDouble(), Is.EqualTo(mean).Within(1e-9));
        Assert.That(File.ReadAllText(In("sweep/manifest.json")), Does.Contain("model:" + In("judge")));

        string before = File.ReadAllText(In("sweep/results.jsonl"));
        Assert.That(Dera.Done(Sweep("prompts.jsonl")).Error, Does.Contain("8 of 8 samples are there already"));
        Assert.That(File.ReadAllText(In("sweep/results.jsonl")), Is.EqualTo(before));
    }

    [Test]
    public void With_a_tokenizer_the_model_reads_prompt_and_response_as_text()
    {
        WriteRewardModel(tokenizer: true);
        File.WriteAllText(In("prompts.jsonl"), "{\"prompt\": \"Describe the market\"}\n{\"prompt\": \"In the winter\"}\n");
        Dera.Done(Sweep("prompts.jsonl"));
        foreach (JsonElement line in Results())
        {
            string text = line.GetProperty("prompt").GetString() + line.GetProperty("text").GetString();
            int[] ids = Dera.Done(["tokenize", "--model", Aligned], JsonSerializer.Serialize(text)).Lines[0].Ints();
            Assert.That(Reward(line), Is.EqualTo(Logit(ids)).Within(1e-4), text);
        }
    }

    [Test]
    public void A_checkpoint_without_a_scalar_head_is_refused_before_anything_is_drawn()
    {
        File.WriteAllText(In("prompts.jsonl"), "{\"prompt\": \"x\"}\n");
        string[] sweep = Sweep("prompts.jsonl");
        sweep[Array.IndexOf(sweep, "model:" + In("judge"))] = "model:" + Aligned;
        Dera.Outcome outcome = Dera.Run(sweep);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
        Assert.That(outcome.Error, Does.Contain("score.weight"));
        Assert.That(Directory.Exists(In("sweep")), Is.False);
    }

    private JsonElement[] Results() => [.. File.ReadLines(In("sweep/results.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];

    private double Reward(JsonElement line) => line.GetProperty("rewards").GetProperty("model:" + In("judge")).GetDouble();

    /// <summary>The aligned model's logit of the row after a text.</summary>
    private double Logit(int[] ids)
    {
        string output = In("logits.bin");
        Dera.Done(["logits", "--device", "cpu", "--model", Aligned, "--tokens", string.Join(',', ids.Select(id => id.ToString(CultureInfo.InvariantCulture))), "--out", output]);
        ReadOnlySpan<float> logits = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output));
        int vocabulary = logits.Length / ids.Length;
        return logits[^vocabulary..][Row];
    }

    /// <summary>The aligned model's checkpoint with score.weight in place of lm_head.weight.</summary>
    private void WriteRewardModel(bool tokenizer)
    {
        Directory.CreateDirectory(In("judge"));
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(Aligned, "config.json")))!.AsObject();
        config["architectures"] = new JsonArray("LlamaForSequenceClassification");
        File.WriteAllText(In("judge/config.json"), config.ToJsonString());
        if (tokenizer)
        {
            File.Copy(Path.Combine(Aligned, "tokenizer.json"), In("judge/tokenizer.json"));
        }

        byte[] file = File.ReadAllBytes(Path.Combine(Aligned, "model.safetensors"));
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, headerLength))!.AsObject();
        JsonNode head = header["lm_head.weight"]!;
        int hidden = (int)head["shape"]![1]!, begin = (int)head["data_offsets"]![0]!, rowBytes = hidden * sizeof(ushort);
        byte[] data = file[(8 + headerLength)..];
        header.Remove("lm_head.weight");
        Assert.That(data.Length, Is.EqualTo(begin + (882 * rowBytes)), "the output matrix is the file's last tensor");
        header["score.weight"] = new JsonObject
        {
            ["dtype"] = "BF16",
            ["shape"] = new JsonArray(1, hidden),
            ["data_offsets"] = new JsonArray(begin, begin + rowBytes),
        };
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        File.WriteAllBytes(In("judge/model.safetensors"), [.. length, .. text, .. data[..begin], .. data[(begin + (Row * rowBytes))..(begin + ((Row + 1) * rowBytes))]]);
    }
}
