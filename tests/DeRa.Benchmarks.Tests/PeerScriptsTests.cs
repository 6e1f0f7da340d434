using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace DeRa.Benchmarks.Tests;

/// <summary>The scripts of tools/peers as far as they need no other engine: weights, GGUF, the table, wrong usage.</summary>
public sealed class PeerScriptsTests
{
    private static readonly string Scripts = Path.Combine(RepositoryRoot.Path, "tools", "peers");
    private string folder = "";

    [OneTimeSetUp]
    public void Prepare()
    {
        folder = Directory.CreateTempSubdirectory("peers-").FullName;
        foreach (string program in (string[])["python3", "bash"])
        {
            try
            {
                Run(program, "--version");
            }
            catch (Win32Exception)
            {
                Absent.Skip($"{program} is not on this machine");
            }
        }
    }

    [OneTimeTearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Shapes_are_those_of_bench()
    {
        string json = Done("python3", "-c", $"import json, sys; sys.path.insert(0, {JsonSerializer.Serialize(Scripts)}); import random_llama as r; print(json.dumps({{n: [*s] for n, s in r.SHAPES.items()}}))");
        Assert.That(
            JsonDocument.Parse(json).RootElement.EnumerateObject().Select(shape => $"{shape.Name} {string.Join(' ', shape.Value.EnumerateArray())}"),
            Is.EqualTo(ModelShape.All.Select(s => $"{s.Name} {s.HiddenSize} {s.NumLayers} {s.NumHeads} {s.NumKvHeads} {s.IntermediateSize} {s.VocabSize} {s.TiedOutput}")));
    }

    [Test]
    public void Random_weights_fill_the_shape_and_fit_both_formats()
    {
        string model = Path.Combine(folder, "15m"), gguf = model + ".gguf";
        Done("python3", Script("random_llama.py"), "15m", model, "--seed", "1");
        byte[] weights = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        long header = BinaryPrimitives.ReadInt64LittleEndian(weights);
        Assert.That(weights.Length - 8 - header, Is.EqualTo(ModelShape.All[0].CheckpointBytes));

        Done("python3", Script("hf_to_gguf.py"), model, gguf);
        var file = new Gguf(File.ReadAllBytes(gguf));
        Assert.That(file.Tensors, Has.Count.EqualTo(JsonDocument.Parse(weights.AsMemory(8, (int)header)).RootElement.EnumerateObject().Count()));
        Assert.That(file.Tensors["token_embd.weight"].Dimensions, Is.EqualTo(new long[] { 288, 32_000 }), "the fastest dimension first");
        Assert.That(file.Data("output_norm.weight", 4), Is.EqualTo(new byte[] { 0, 0, 0x80, 0x3F }), "norms are float32");
    }

    [Test]
    public void Query_rows_change_places_for_a_rotation_of_neighbours()
    {
        string model = Path.Combine(RepositoryRoot.Path, "tests", "Golden", "models", "llama_basic", "ref"), output = Path.Combine(folder, "golden.gguf");
        Done("python3", Script("hf_to_gguf.py"), model, output);
        byte[] weights = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(weights);
        int first = JsonDocument.Parse(weights.AsMemory(8, header)).RootElement.GetProperty("model.layers.1.self_attn.k_proj.weight").GetProperty("data_offsets")[0].GetInt32();
        const int Row = 64 * sizeof(float), HeadDim = 16;
        byte[] stored = new Gguf(File.ReadAllBytes(output)).Data("blk.1.attn_k.weight", 2 * HeadDim * Row);
        for (int row = 0; row < 2 * HeadDim; row++)
        {
            // Within a head: element i of the first half goes to 2i, of the second half to 2i + 1.
            int head = row / HeadDim, i = row % HeadDim, target = (head * HeadDim) + (i < HeadDim / 2 ? 2 * i : (2 * (i - (HeadDim / 2))) + 1);
            Assert.That(stored.AsSpan(target * Row, Row).SequenceEqual(weights.AsSpan(8 + header + first + (row * Row), Row)), $"row {row}");
        }
    }

    [Test]
    public void Another_architecture_is_refused_in_one_line()
    {
        string model = Path.Combine(RepositoryRoot.Path, "tests", "Golden", "models", "qwen3", "ref"), output = Path.Combine(folder, "qwen.gguf");
        (int code, _, string error) = Run("python3", Script("hf_to_gguf.py"), model, output);
        Assert.That((code, error.Trim()), Is.EqualTo((1, $"hf_to_gguf: {model}: config.json: model_type: expected llama, found qwen3")));
        Assert.That(File.Exists(output), Is.False);
    }

    [Test]
    public void The_table_holds_medians_over_rounds_and_their_ratios()
    {
        string lines = Path.Combine(folder, "lines.jsonl");
        File.WriteAllLines(lines,
        [
            """{"peer":"dera","shape":"15m","dtype":"bf16","round":1,"read_bytes_per_second":1}""",
            Line("dera", "fused", 0.010, ",\"share_of_floor\":0.5"), Line("dera", "fused", 0.030, ",\"share_of_floor\":0.3"), Line("dera", "fused", 0.020, ",\"share_of_floor\":0.4"),
            Line("slow", "naive", 0.1), Line("other", "naive", 0.050), Line("other", "naive", 0.040), Line("other", "naive", 0.060),
        ]);
        Assert.That(Done("python3", Script("report.py"), lines).Split('\n')[2], Is.EqualTo("| 15m bf16 | pair decode, batch 8 | 3 | 400 ± 50 % | 40 % | 2.50 × other | 80.0 ± 0 % | 5.00 × | 160 ± 20 % | 2.50 × |"));
        JsonElement row = JsonDocument.Parse(Done("python3", Script("report.py"), lines, "--json")).RootElement;
        Assert.That(row.GetProperty("ratio").GetDouble(), Is.EqualTo(2.5).Within(1e-12));

        static string Line(string peer, string mode, double seconds, string more = "") => FormattableString.Invariant(
            $"{{\"peer\":\"{peer}\",\"shape\":\"15m\",\"dtype\":\"bf16\",\"round\":1,\"workload\":\"decode\",\"batch\":8,\"mode\":\"{mode}\",\"median_seconds\":{seconds},\"tokens_per_second\":{8 / seconds}{more}}}");
    }

    [TestCase("compare.sh", "", "compare: --dera FILE: missing")]
    [TestCase("compare.sh", "--dera none --peer a=b --models m --out o", "compare: --dera none: no such file")]
    [TestCase("compare.sh", "--peer llama", "compare: --peer llama: expected NAME=FILE")]
    [TestCase("compare.sh", "--rounds 0", "compare: --rounds 0: expected a number of at least 1")]
    [TestCase("compare.sh", "--speed 3", "compare: --speed: unknown; --help says what there is")]
    [TestCase("build.sh", "--include /", "build: --library DIR: missing")]
    public void Wrong_usage_is_one_line_and_code_2(string script, string arguments, string message)
    {
        (int code, _, string error) = Run("bash", [Script(script), .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.That((code, error.Trim()), Is.EqualTo((2, message)));
    }

    private static string Script(string name) => Path.Combine(Scripts, name);

    private static string Done(string program, params string[] arguments)
    {
        (int code, string output, string error) = Run(program, arguments);
        Assert.That(code, Is.Zero, error);
        return output;
    }

    private static (int Code, string Output, string Error) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Reads what the tests ask of a GGUF file: version 3, texts, unsigned integers and floats as metadata.</summary>
    private sealed class Gguf
    {
        private readonly byte[] bytes;
        private readonly long dataStart;
        private int position = 24;

        public Gguf(byte[] bytes)
        {
            this.bytes = bytes;
            Assert.That(Encoding.ASCII.GetString(bytes, 0, 4) + BitConverter.ToUInt32(bytes, 4), Is.EqualTo("GGUF3"));
            long tensors = BitConverter.ToInt64(bytes, 8), entries = BitConverter.ToInt64(bytes, 16);
            for (long entry = 0; entry < entries; entry++)
            {
                string key = Text();
                uint type = Number();
                Assert.That(type, Is.AnyOf(4, 6, 8), key);
                _ = type == 8 ? Text() : Number().ToString();
            }

            for (long tensor = 0; tensor < tensors; tensor++)
            {
                string name = Text();
                long[] dimensions = [.. Enumerable.Range(0, (int)Number()).Select(_ => Long())];
                _ = Number(); // type
                Tensors.Add(name, (dimensions, Long()));
            }

            dataStart = (position + 31) / 32 * 32;
        }

        public Dictionary<string, (long[] Dimensions, long Offset)> Tensors { get; } = [];

        public byte[] Data(string name, int count) => bytes.AsSpan((int)(dataStart + Tensors[name].Offset), count).ToArray();

        private string Text()
        {
            int length = (int)Long();
            return Encoding.UTF8.GetString(bytes, Skip(length), length);
        }

        private uint Number() => BitConverter.ToUInt32(bytes, Skip(4));

        private long Long() => BitConverter.ToInt64(bytes, Skip(8));

        private int Skip(int length)
        {
            position += length;
            return position - length;
        }
    }
}
