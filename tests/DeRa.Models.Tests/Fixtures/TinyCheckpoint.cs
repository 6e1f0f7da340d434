using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Models.Tests;

/// <summary>Writes a checkpoint folder of random weights for a configuration, in the layout and with the names of its family on Hugging Face.</summary>
internal sealed class TinyCheckpoint : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly JsonObject config;
    private readonly Random random;
    private readonly Dictionary<string, (int[] Shape, float[] Values)> tensors = [];
    private readonly Func<string, string> dtype;

    /// <param name="config">config.json.</param>
    /// <param name="seed">Of the weights.</param>
    /// <param name="change">May alter tensors before they are written.</param>
    /// <param name="dtype">F32, F16 or BF16 for a tensor's name; F32 where not given.</param>
    public TinyCheckpoint(
        string config,
        int seed = 1,
        Action<Dictionary<string, (int[] Shape, float[] Values)>>? change = null,
        Func<string, string>? dtype = null)
    {
        this.dtype = dtype ?? (_ => "F32");
        this.config = JsonNode.Parse(config)!.AsObject();
        random = new Random(seed);
        switch ((string)this.config["model_type"]!)
        {
            case "gpt2": Gpt2(); break;
            case "gpt_neox": GptNeoX(); break;
            default: LlamaKin(); break;
        }

        change?.Invoke(tensors);
        File.WriteAllText(System.IO.Path.Combine(folder.Path, "config.json"), config);
        WriteTensors(System.IO.Path.Combine(folder.Path, "model.safetensors"));
    }

    public string Path => folder.Path;

    public void Dispose() => folder.Dispose();

    private int Int(string name, int otherwise = 0) => config[name] is { } value ? (int)value : otherwise;

    private bool Flag(string name, bool otherwise = false) => config[name] is { } value ? (bool)value : otherwise;

    private void LlamaKin()
    {
        string type = (string)config["model_type"]!;
        int hidden = Int("hidden_size"), inner = Int("intermediate_size"), heads = Int("num_attention_heads"), kvHeads = Int("num_key_value_heads", heads);
        int headDim = Int("head_dim", hidden / heads), vocab = Int("vocab_size");
        bool qkvBias = type == "qwen2" || Flag("attention_bias"), outputBias = type != "qwen2" && Flag("attention_bias"), mlpBias = Flag("mlp_bias");
        float norm = type.StartsWith("gemma", StringComparison.Ordinal) ? 0 : 1;
        Embedding("model.embed_tokens.weight", vocab, hidden, norm == 0 ? 1 / MathF.Sqrt(hidden) : 1);
        for (int layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            string at = $"model.layers.{layer}.";
            string[] norms = type == "gemma2"
                ? ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"]
                : ["input_layernorm", "post_attention_layernorm"];
            foreach (string name in norms) Vector(at + name + ".weight", hidden, norm, 0.2f);
            if (type == "phi3")
            {
                Matrix(at + "self_attn.qkv_proj", (heads + (2 * kvHeads)) * headDim, hidden, false);
                Matrix(at + "mlp.gate_up_proj", 2 * inner, hidden, false);
            }
            else
            {
                Matrix(at + "self_attn.q_proj", heads * headDim, hidden, qkvBias);
                Matrix(at + "self_attn.k_proj", kvHeads * headDim, hidden, qkvBias);
                Matrix(at + "self_attn.v_proj", kvHeads * headDim, hidden, qkvBias);
                Matrix(at + "mlp.gate_proj", inner, hidden, mlpBias);
                Matrix(at + "mlp.up_proj", inner, hidden, mlpBias);
            }

            if (type == "qwen3")
            {
                Vector(at + "self_attn.q_norm.weight", headDim, 1, 0.2f);
                Vector(at + "self_attn.k_norm.weight", headDim, 1, 0.2f);
            }

            Matrix(at + "self_attn.o_proj", hidden, heads * headDim, outputBias);
            Matrix(at + "mlp.down_proj", hidden, inner, mlpBias);
        }

        Vector("model.norm.weight", hidden, norm, 0.2f);
        if (!Flag("tie_word_embeddings", norm == 0)) Matrix("lm_head", vocab, hidden, false, 3);
    }

    private void GptNeoX()
    {
        int hidden = Int("hidden_size"), inner = Int("intermediate_size"), vocab = Int("vocab_size");
        bool bias = Flag("attention_bias", true);
        Embedding("gpt_neox.embed_in.weight", vocab, hidden, 1);
        for (int layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            string at = $"gpt_neox.layers.{layer}.";
            LayerNorm(at + "input_layernorm", hidden);
            LayerNorm(at + "post_attention_layernorm", hidden);
            Matrix(at + "attention.query_key_value", 3 * hidden, hidden, bias);
            Matrix(at + "attention.dense", hidden, hidden, bias);
            Matrix(at + "mlp.dense_h_to_4h", inner, hidden, true);
            Matrix(at + "mlp.dense_4h_to_h", hidden, inner, true);
        }

        LayerNorm("gpt_neox.final_layer_norm", hidden);
        Matrix("embed_out", vocab, hidden, false, 3);
    }

    private void Gpt2()
    {
        int hidden = Int("n_embd"), inner = Int("n_inner", 4 * hidden);
        Embedding("transformer.wte.weight", Int("vocab_size"), hidden, 0.3f);
        Embedding("transformer.wpe.weight", Int("n_positions"), hidden, 0.3f);
        for (int layer = 0; layer < Int("n_layer"); layer++)
        {
            string at = $"transformer.h.{layer}.";
            LayerNorm(at + "ln_1", hidden);
            LayerNorm(at + "ln_2", hidden);
            Conv(at + "attn.c_attn", hidden, 3 * hidden);
            Conv(at + "attn.c_proj", hidden, hidden);
            Conv(at + "mlp.c_fc", hidden, inner);
            Conv(at + "mlp.c_proj", inner, hidden);
        }

        LayerNorm("transformer.ln_f", hidden);
    }

    private void Matrix(string name, int outputs, int inputs, bool bias, float scale = 1.5f)
    {
        Fill(name + ".weight", [outputs, inputs], 0, scale / MathF.Sqrt(inputs));
        if (bias) Vector(name + ".bias", outputs, 0, 0.3f);
    }

    private void Conv(string name, int inputs, int outputs)
    {
        Fill(name + ".weight", [inputs, outputs], 0, 1.5f / MathF.Sqrt(inputs));
        Vector(name + ".bias", outputs, 0, 0.3f);
    }

    private void LayerNorm(string name, int size)
    {
        Vector(name + ".weight", size, 1, 0.2f);
        Vector(name + ".bias", size, 0, 0.2f);
    }

    private void Embedding(string name, int rows, int columns, float deviation) => Fill(name, [rows, columns], 0, deviation);

    private void Vector(string name, int size, float mean, float deviation) => Fill(name, [size], mean, deviation);

    // Uniform with the given deviation: tails would only make tolerances noisier.
    private void Fill(string name, int[] shape, float mean, float deviation)
    {
        var values = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++) values[i] = mean + (deviation * MathF.Sqrt(3) * ((2 * random.NextSingle()) - 1));
        tensors.Add(name, (shape, values));
    }

    private void WriteTensors(string path)
    {
        var header = new JsonObject();
        using var data = new MemoryStream();
        foreach ((string name, (int[] shape, float[] values)) in tensors)
        {
            int begin = (int)data.Length;
            foreach (float value in values) data.Write(Encode(dtype(name), value));
            header[name] = new JsonObject
            {
                ["dtype"] = dtype(name),
                ["shape"] = new JsonArray([.. shape.Select(d => (JsonNode)d)]),
                ["data_offsets"] = new JsonArray(begin, (int)data.Length),
            };
        }

        using FileStream file = File.Create(path);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(json);
        file.Write(data.ToArray());
    }

    private static byte[] Encode(string dtype, float value) => dtype switch
    {
        "F16" => BitConverter.GetBytes((Half)value),
        "BF16" => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)),
        _ => BitConverter.GetBytes(value),
    };
}
