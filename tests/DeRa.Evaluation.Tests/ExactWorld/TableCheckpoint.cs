using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Evaluation.Tests.ExactWorld;

/// <summary>
/// A Llama checkpoint whose next-token logits are a table. The embedding of a token is a unit vector; attention and MLP add nothing, because their last
/// projections are zero; the final norm leaves the unit vector as it is, and the output matrix holds the table, a column per current token.
/// </summary>
internal sealed class TableCheckpoint : IDisposable
{
    /// <summary>Logit of a step that the world does not have: e^−60 is far below every tolerance, and a checkpoint cannot hold −∞.</summary>
    private const float Never = -60;

    private const int Hidden = 16;
    private const int Inner = 16;

    private readonly Dictionary<string, (int[] Shape, float[] Values)> tensors = [];

    /// <summary>Writes the folder.</summary>
    /// <param name="steps">[current, next] log-probabilities.</param>
    public TableCheckpoint(double[,] steps)
    {
        int vocabulary = steps.GetLength(0);
        Add("model.embed_tokens.weight", [vocabulary, Hidden], (token, i) => token == i ? 1 : 0);
        const string Layer = "model.layers.0.";
        Add(Layer + "input_layernorm.weight", [Hidden], (_, _) => 1);
        Add(Layer + "post_attention_layernorm.weight", [Hidden], (_, _) => 1);
        foreach (string name in (string[])["q_proj", "k_proj", "v_proj"]) Add($"{Layer}self_attn.{name}.weight", [Hidden, Hidden], (o, i) => 0.1f * ((o + i) % 3));
        foreach (string name in (string[])["gate_proj", "up_proj"]) Add($"{Layer}mlp.{name}.weight", [Inner, Hidden], (o, i) => 0.1f * ((o * i) % 3));
        Add(Layer + "self_attn.o_proj.weight", [Hidden, Hidden], (_, _) => 0);
        Add(Layer + "mlp.down_proj.weight", [Hidden, Inner], (_, _) => 0);

        // A unit vector has a mean square of 1/Hidden, so the norm scales it by √Hidden.
        Add("model.norm.weight", [Hidden], (_, _) => 1 / MathF.Sqrt(Hidden));
        Add("lm_head.weight", [vocabulary, Hidden], (next, current) =>
            current < vocabulary && IncreasingWorld.Next(current).Contains(next) ? (float)steps[current, next] : Never);
        File.WriteAllText(System.IO.Path.Combine(Path, "config.json"), Config(vocabulary).ToJsonString());
        WriteTensors();
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("dera-table-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static JsonObject Config(int vocabulary) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["vocab_size"] = vocabulary,
        ["hidden_size"] = Hidden,
        ["intermediate_size"] = Inner,
        ["num_hidden_layers"] = 1,
        ["num_attention_heads"] = 2,
        ["num_key_value_heads"] = 2,
        ["max_position_embeddings"] = 64,
        ["hidden_act"] = "silu",
        ["rms_norm_eps"] = 1e-12,
        ["rope_theta"] = 10000.0,
        ["tie_word_embeddings"] = false,
        ["bos_token_id"] = IncreasingWorld.Begin,
        ["eos_token_id"] = IncreasingWorld.End,
        ["torch_dtype"] = "float32",
    };

    private void Add(string name, int[] shape, Func<int, int, float> value)
    {
        int columns = shape[^1];
        tensors.Add(name, (shape, [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(i => value(i / columns, i % columns))]));
    }

    private void WriteTensors()
    {
        var header = new JsonObject();
        using var data = new MemoryStream();
        foreach ((string name, (int[] shape, float[] values)) in tensors)
        {
            int begin = (int)data.Length;
            foreach (float value in values) data.Write(BitConverter.GetBytes(value));
            header[name] = new JsonObject
            {
                ["dtype"] = "F32",
                ["shape"] = new JsonArray([.. shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(begin, (int)data.Length),
            };
        }

        using FileStream file = File.Create(System.IO.Path.Combine(Path, "model.safetensors"));
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(json);
        file.Write(data.ToArray());
    }
}
