using static DeRa.Models.Tests.Reference.HfOps;

namespace DeRa.Models.Tests.Reference;

/// <summary>
/// The forward passes of transformers in float64 with a full recompute, one function per family, written for obviousness: the oracle for
/// configurations that the golden files do not cover. Itself checked against the golden files.
/// </summary>
internal static class HfModels
{
    /// <summary>Logits [tokens, vocab].</summary>
    public static double[][] Logits(HfCheckpoint c, int[] tokens) => c.ModelType switch
    {
        "gpt2" => Gpt2(c, tokens),
        "gpt_neox" => GptNeoX(c, tokens),
        "phi3" => Phi3(c, tokens),
        "gemma2" => Gemma2(c, tokens),
        "gemma" => Llama(c, tokens, _ => null, normOffset: 1, embeddingScale: Math.Sqrt(c.Int("hidden_size"))),
        "mistral" => Llama(c, tokens, _ => Window(c)),
        "qwen2" or "qwen3" => Llama(c, tokens, layer => c.Flag("use_sliding_window", false) && layer >= c.Int("max_window_layers") ? Window(c) : null),
        _ => Llama(c, tokens, _ => null),
    };

    // modeling_llama.py, modeling_mistral.py, modeling_qwen2.py, modeling_qwen3.py, modeling_gemma.py
    private static double[][] Llama(HfCheckpoint c, int[] tokens, Func<int, int?> window, double normOffset = 0, double embeddingScale = 1)
    {
        int heads = c.Int("num_attention_heads"), headDim = (int)(c.Number("head_dim") ?? c.Int("hidden_size") / heads);
        double epsilon = c.Number("rms_norm_eps")!.Value;
        string act = c.Text("hidden_activation") ?? c.Text("hidden_act")!;
        var rope = HfRope.Of(c, headDim, tokens.Length);
        double[][] x = Map(Embed(c["embed_tokens.weight"], tokens), row => [.. row.Select(v => v * embeddingScale)]);
        for (int layer = 0; layer < c.Int("num_hidden_layers"); layer++)
        {
            string at = $"layers.{layer}.";
            double[][] Project(double[][] input, string name) => Linear(input, c[at + name + ".weight"], c.Find(at + name + ".bias"));

            double[][] n = Rms(x, c[at + "input_layernorm.weight"], epsilon, normOffset);
            double[][] q = Project(n, "self_attn.q_proj"), k = Project(n, "self_attn.k_proj"), v = Project(n, "self_attn.v_proj");
            if (c.Find(at + "self_attn.q_norm.weight") is { } qNorm)
            {
                q = HeadRms(q, headDim, qNorm, epsilon);
                k = HeadRms(k, headDim, c[at + "self_attn.k_norm.weight"], epsilon);
            }

            double[][] attended = Attend(Rotate(q, headDim, rope), Rotate(k, headDim, rope), v, headDim, 1 / Math.Sqrt(headDim), window(layer));
            x = Add(x, Project(attended, "self_attn.o_proj"));

            n = Rms(x, c[at + "post_attention_layernorm.weight"], epsilon, normOffset);
            x = Add(x, Project(Gate(Project(n, "mlp.gate_proj"), Project(n, "mlp.up_proj"), act), "mlp.down_proj"));
        }

        x = Rms(x, c["norm.weight"], epsilon, normOffset);
        return Linear(x, Head(c, "lm_head.weight", "embed_tokens.weight"));
    }

    // modeling_phi3.py
    private static double[][] Phi3(HfCheckpoint c, int[] tokens)
    {
        int heads = c.Int("num_attention_heads"), kvHeads = c.Int("num_key_value_heads"), headDim = c.Int("hidden_size") / heads;
        int inner = c.Int("intermediate_size");
        double epsilon = c.Number("rms_norm_eps")!.Value;
        var rope = HfRope.Of(c, headDim, tokens.Length);
        double[][] x = Embed(c["embed_tokens.weight"], tokens);
        for (int layer = 0; layer < c.Int("num_hidden_layers"); layer++)
        {
            string at = $"layers.{layer}.";
            double[][] qkv = Linear(Rms(x, c[at + "input_layernorm.weight"], epsilon), c[at + "self_attn.qkv_proj.weight"]);
            double[][] q = Rotate(Columns(qkv, 0, heads * headDim), headDim, rope);
            double[][] k = Rotate(Columns(qkv, heads * headDim, kvHeads * headDim), headDim, rope);
            double[][] v = Columns(qkv, (heads + kvHeads) * headDim, kvHeads * headDim);
            x = Add(x, Linear(Attend(q, k, v, headDim, 1 / Math.Sqrt(headDim), Window(c)), c[at + "self_attn.o_proj.weight"]));

            double[][] gateUp = Linear(Rms(x, c[at + "post_attention_layernorm.weight"], epsilon), c[at + "mlp.gate_up_proj.weight"]);
            double[][] gated = Gate(Columns(gateUp, 0, inner), Columns(gateUp, inner, inner), c.Text("hidden_act")!);
            x = Add(x, Linear(gated, c[at + "mlp.down_proj.weight"]));
        }

        return Linear(Rms(x, c["norm.weight"], epsilon), Head(c, "lm_head.weight", "embed_tokens.weight"));
    }

    // modeling_gemma2.py
    private static double[][] Gemma2(HfCheckpoint c, int[] tokens)
    {
        int headDim = c.Int("head_dim");
        double epsilon = c.Number("rms_norm_eps")!.Value, scale = 1 / Math.Sqrt(c.Number("query_pre_attn_scalar")!.Value);
        string act = c.Text("hidden_activation")!;
        var rope = HfRope.Of(c, headDim, tokens.Length);
        double root = Math.Sqrt(c.Int("hidden_size"));
        double[][] x = Map(Embed(c["embed_tokens.weight"], tokens), row => [.. row.Select(v => v * root)]);
        for (int layer = 0; layer < c.Int("num_hidden_layers"); layer++)
        {
            string at = $"layers.{layer}.";
            double[][] Norm(double[][] input, string name) => Rms(input, c[at + name + ".weight"], epsilon, 1);
            double[][] Project(double[][] input, string name) => Linear(input, c[at + name + ".weight"]);

            double[][] n = Norm(x, "input_layernorm");
            double[][] q = Rotate(Project(n, "self_attn.q_proj"), headDim, rope), k = Rotate(Project(n, "self_attn.k_proj"), headDim, rope);
            double[][] v = Project(n, "self_attn.v_proj");
            double[][] attended = Attend(q, k, v, headDim, scale, layer % 2 == 0 ? Window(c) : null, c.Number("attn_logit_softcapping"));
            x = Add(x, Norm(Project(attended, "self_attn.o_proj"), "post_attention_layernorm"));

            n = Norm(x, "pre_feedforward_layernorm");
            double[][] mlp = Project(Gate(Project(n, "mlp.gate_proj"), Project(n, "mlp.up_proj"), act), "mlp.down_proj");
            x = Add(x, Norm(mlp, "post_feedforward_layernorm"));
        }

        double[][] logits = Linear(Rms(x, c["norm.weight"], epsilon, 1), Head(c, "lm_head.weight", "embed_tokens.weight"));
        return Map(logits, row => [.. row.Select(z => Cap(z, c.Number("final_logit_softcapping")))]);
    }

    // modeling_gpt_neox.py
    private static double[][] GptNeoX(HfCheckpoint c, int[] tokens)
    {
        int heads = c.Int("num_attention_heads"), headDim = c.Int("hidden_size") / heads;
        double epsilon = c.Number("layer_norm_eps")!.Value;
        var rope = HfRope.Of(c, headDim, tokens.Length);
        double[][] x = Embed(c["embed_in.weight"], tokens);
        for (int layer = 0; layer < c.Int("num_hidden_layers"); layer++)
        {
            string at = $"layers.{layer}.";
            double[][] Norm(double[][] input, string name) => LayerNorm(input, c[at + name + ".weight"], c[at + name + ".bias"], epsilon);
            double[][] Project(double[][] input, string name) => Linear(input, c[at + name + ".weight"], c.Find(at + name + ".bias"));

            // [tokens, heads, (q | k | v), headDim]
            double[][] qkv = Project(Norm(x, "input_layernorm"), "attention.query_key_value");
            double[][] Part(int part) => Map(qkv, row => [.. row.Chunk(3 * headDim).SelectMany(head => head.Skip(part * headDim).Take(headDim))]);
            double[][] attended = Attend(Rotate(Part(0), headDim, rope), Rotate(Part(1), headDim, rope), Part(2), headDim, 1 / Math.Sqrt(headDim));
            double[][] attention = Project(attended, "attention.dense");
            double[][] mlpInput = c.Flag("use_parallel_residual", true) ? x : Add(x, attention);
            double[][] up = Project(Norm(mlpInput, "post_attention_layernorm"), "mlp.dense_h_to_4h");
            double[][] mlp = Project(Map(up, row => [.. row.Select(v => Activate(c.Text("hidden_act")!, v))]), "mlp.dense_4h_to_h");
            x = Add(x, attention, mlp);
        }

        x = LayerNorm(x, c["final_layer_norm.weight"], c["final_layer_norm.bias"], epsilon);
        return Linear(x, Head(c, "embed_out.weight", "embed_in.weight"));
    }

    // modeling_gpt2.py
    private static double[][] Gpt2(HfCheckpoint c, int[] tokens)
    {
        int hidden = c.Int("n_embd"), headDim = hidden / c.Int("n_head");
        double epsilon = c.Number("layer_norm_epsilon")!.Value;
        double[][] x = Add(Embed(c["wte.weight"], tokens), Embed(c["wpe.weight"], [.. Enumerable.Range(0, tokens.Length)]));
        for (int layer = 0; layer < c.Int("n_layer"); layer++)
        {
            string at = $"h.{layer}.";
            double[][] Norm(double[][] input, string name) => LayerNorm(input, c[at + name + ".weight"], c[at + name + ".bias"], epsilon);
            double[][] Conv(double[][] input, string name) => Linear(input, c[at + name + ".weight"], c[at + name + ".bias"], transposed: true);

            double scale = c.Flag("scale_attn_weights", true) ? 1 / Math.Sqrt(headDim) : 1;
            if (c.Flag("scale_attn_by_inverse_layer_idx", false)) scale /= layer + 1;
            double[][] qkv = Conv(Norm(x, "ln_1"), "attn.c_attn");
            double[][] attended = Attend(Columns(qkv, 0, hidden), Columns(qkv, hidden, hidden), Columns(qkv, 2 * hidden, hidden), headDim, scale);
            x = Add(x, Conv(attended, "attn.c_proj"));
            double[][] up = Map(Conv(Norm(x, "ln_2"), "mlp.c_fc"), row => [.. row.Select(v => Activate(c.Text("activation_function")!, v))]);
            x = Add(x, Conv(up, "mlp.c_proj"));
        }

        return Linear(LayerNorm(x, c["ln_f.weight"], c["ln_f.bias"], epsilon), Head(c, "lm_head.weight", "wte.weight"));
    }

    // A head that is stored beside a tied embedding does not count.
    private static Tensor Head(HfCheckpoint c, string head, string embedding) =>
        c.Flag("tie_word_embeddings", c.ModelType is "gpt2" or "gemma" or "gemma2") ? c[embedding] : c[head];

    private static double[][] Embed(Tensor table, int[] rows) => [.. rows.Select(table.Row)];

    private static double[][] Gate(double[][] gate, double[][] up, string act) =>
        [.. gate.Select((row, t) => row.Select((v, i) => Activate(act, v) * up[t][i]).ToArray())];

    private static int? Window(HfCheckpoint c) => c.Number("sliding_window") is double window ? (int)window : null;
}
