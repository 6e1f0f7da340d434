namespace DeRa.Checkpoints.Tests;

/// <summary>Names to fields: what is needed, what may be missing or more, and what is refused.</summary>
[TestFixture]
public sealed class WeightMapTests
{
    [Test]
    public void Llama_names_reach_their_fields()
    {
        using Checkpoint checkpoint = Checkpoint.Open(GoldenModels.PathOf("llama_basic/ref"));
        LayerWeights layer = checkpoint.Weights.Layers[2];
        Assert.Multiple(() =>
        {
            Assert.That(layer.InputNorm.Name, Is.EqualTo("model.layers.2.input_layernorm.weight"));
            Assert.That(layer.QProj!.Name, Is.EqualTo("model.layers.2.self_attn.q_proj.weight"));
            Assert.That(layer.KProj!.Name, Is.EqualTo("model.layers.2.self_attn.k_proj.weight"));
            Assert.That(layer.VProj!.Name, Is.EqualTo("model.layers.2.self_attn.v_proj.weight"));
            Assert.That(layer.OProj.Name, Is.EqualTo("model.layers.2.self_attn.o_proj.weight"));
            Assert.That(layer.PostAttentionNorm.Name, Is.EqualTo("model.layers.2.post_attention_layernorm.weight"));
            Assert.That(layer.GateProj!.Name, Is.EqualTo("model.layers.2.mlp.gate_proj.weight"));
            Assert.That(layer.UpProj!.Name, Is.EqualTo("model.layers.2.mlp.up_proj.weight"));
            Assert.That(layer.DownProj.Name, Is.EqualTo("model.layers.2.mlp.down_proj.weight"));
            Assert.That(layer.All().Count(), Is.EqualTo(9));
            Assert.That(checkpoint.Weights.OutputHead.Name, Is.EqualTo("lm_head.weight"));
        });
    }

    [TestCase("qwen2_tied_bf16/ref", 12)]
    [TestCase("qwen3/ref", 11)]
    [TestCase("gemma2/ref", 11)]
    [TestCase("phi3/ref", 6)]
    [TestCase("gpt2/ref", 12)]
    [TestCase("neox_parallel_f16/ref", 12)]
    public void Each_layer_has_the_family_s_tensors(string folder, int count)
    {
        using Checkpoint checkpoint = Checkpoint.Open(GoldenModels.PathOf(folder));
        Assert.That(checkpoint.Weights.Layers.Select(layer => layer.All().Count()), Is.All.EqualTo(count));
    }

    [TestCase("gpt2/ref", true)]
    [TestCase("neox_sequential/ref", false)]
    [TestCase("llama_basic/ref", false)]
    public void Only_gpt2_is_input_major(string folder, bool expected)
    {
        using Checkpoint checkpoint = Checkpoint.Open(GoldenModels.PathOf(folder));
        Assert.That(checkpoint.Weights.LinearWeightsAreInputMajor, Is.EqualTo(expected));
    }

    [TestCase("gpt2/ref", "transformer.")]
    [TestCase("qwen3/ref", "model.")]
    [TestCase("neox_sequential/ref", "gpt_neox.")]
    public void Backbone_names_work_without_their_prefix(string folder, string prefix)
    {
        using TestFolder copy = TestFolder.CopyOf(folder);
        copy.Rename(name => name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name);
        using Checkpoint checkpoint = copy.Open();
        Assert.That(checkpoint.UnusedTensors, Is.Empty);
    }

    [Test]
    public void Tied_with_the_head_also_stored_uses_the_embedding()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen2_tied_bf16/ref");
        copy.Add("lm_head.weight", "BF16", 320, 64);
        using Checkpoint checkpoint = copy.Open();
        Assert.Multiple(() =>
        {
            Assert.That(checkpoint.Weights.OutputHead, Is.SameAs(checkpoint.Weights.Embedding));
            Assert.That(checkpoint.Weights.OutputHead.Name, Is.EqualTo("model.embed_tokens.weight"));
            Assert.That(checkpoint.UnusedTensors, Is.Empty);
            Assert.That(checkpoint.Summary.IsTied, Is.True);
        });
    }

    [Test]
    public void Tied_with_only_the_head_stored_uses_it_for_both()
    {
        using TestFolder copy = TestFolder.CopyOf("qwen2_tied_bf16/ref");
        copy.Rename(name => name == "model.embed_tokens.weight" ? "lm_head.weight" : name);
        using Checkpoint checkpoint = copy.Open();
        Assert.That(checkpoint.Weights.Embedding, Is.SameAs(checkpoint.Weights.OutputHead));
    }

    [Test]
    public void Untied_head_must_be_there()
    {
        using TestFolder copy = TestFolder.CopyOf("llama_basic/ref");
        copy.Tensors.Remove("lm_head.weight");
        Assert.That(copy.Refused().Message, Does.Contain("model.safetensors").And.Contain("lm_head.weight").And.Contain("[320, 64]"));
    }

    [Test]
    public void Attention_and_mlp_biases_of_llama_are_read_when_the_config_says_so()
    {
        using TestFolder copy = TestFolder.CopyOf("llama_basic/ref");
        copy.Config["attention_bias"] = true;
        copy.Config["mlp_bias"] = true;
        for (int layer = 0; layer < 3; layer++)
        {
            string at = $"model.layers.{layer}.";
            copy.Add(at + "self_attn.q_proj.bias", "F32", 64);
            copy.Add(at + "self_attn.k_proj.bias", "F32", 32);
            copy.Add(at + "self_attn.v_proj.bias", "F32", 32);
            copy.Add(at + "self_attn.o_proj.bias", "F32", 64);
            copy.Add(at + "mlp.gate_proj.bias", "F32", 144);
            copy.Add(at + "mlp.up_proj.bias", "F32", 144);
            copy.Add(at + "mlp.down_proj.bias", "F32", 64);
        }

        using Checkpoint checkpoint = copy.Open();
        Assert.That(checkpoint.Weights.Layers.Select(layer => layer.All().Count()), Is.All.EqualTo(16));
    }

    [Test]
    public void NeoX_without_attention_bias_needs_none()
    {
        using TestFolder copy = TestFolder.CopyOf("neox_sequential/ref");
        copy.Config["attention_bias"] = false;
        foreach (string name in copy.Tensors.Keys.Where(n => n.Contains(".attention.", StringComparison.Ordinal) && n.EndsWith("bias", StringComparison.Ordinal)).ToArray())
            copy.Tensors.Remove(name);
        using Checkpoint checkpoint = copy.Open();
        Assert.Multiple(() =>
        {
            Assert.That(checkpoint.Weights.Layers[0].QkvBias, Is.Null);
            Assert.That(checkpoint.Weights.Layers[0].OBias, Is.Null);
            Assert.That(checkpoint.Weights.Layers[0].UpBias, Is.Not.Null);
        });
    }

    [Test]
    public void Gemma_reads_llama_s_names()
    {
        using TestFolder copy = TestFolder.CopyOf("gemma2/ref");
        copy.Config["model_type"] = "gemma";
        using Checkpoint checkpoint = copy.Open();
        Assert.Multiple(() =>
        {
            Assert.That(checkpoint.Weights.Layers[0].PreFeedforwardNorm, Is.Null);
            Assert.That(checkpoint.UnusedTensors, Has.Count.EqualTo(8).And.All.Contain("feedforward_layernorm"));
        });
    }

    [Test]
    public void Buffers_are_ignored_and_other_leftovers_listed()
    {
        using TestFolder copy = TestFolder.CopyOf("gpt2/ref");
        copy.Add("transformer.h.0.attn.bias", "BOOL", 1, 1, 8, 8);
        copy.Add("transformer.h.0.attn.masked_bias", "F32");
        copy.Add("transformer.h.7.ln_1.weight", "F32", 64);
        copy.Add("extra", "I64", 2);
        using Checkpoint checkpoint = copy.Open();
        Assert.That(checkpoint.UnusedTensors, Is.EqualTo(new[] { "extra", "transformer.h.7.ln_1.weight" }));
    }

    [TestCase("F64")]
    [TestCase("I32")]
    [TestCase("F8_E4M3")]
    public void Weight_of_another_type_is_refused_by_name(string dtype)
    {
        using TestFolder copy = TestFolder.CopyOf("llama_basic/ref");
        copy.Add("model.layers.1.mlp.up_proj.weight", dtype, 144, 64);
        Assert.That(copy.Refused().Message, Does.Contain("model.layers.1.mlp.up_proj.weight").And.Contain("F32, F16 or BF16").And.Contain(dtype));
    }

    [Test]
    public void Weight_of_another_shape_is_refused_with_both_shapes()
    {
        using TestFolder copy = TestFolder.CopyOf("llama_basic/ref");
        copy.Config["num_key_value_heads"] = 4;
        CheckpointException refusal = copy.Refused();
        Assert.That(refusal.Message, Does.Contain("model.layers.0.self_attn.k_proj.weight").And.Contain("[64, 64]").And.Contain("[32, 64]"));
    }

    [TestCase("model.layers.0.mlp.up_proj.qweight", "quantised")]
    [TestCase("model.layers.0.mlp.up_proj.weight_scale", "quantised")]
    [TestCase("model.layers.0.mlp.up_proj.weight.absmax", "quantised")]
    [TestCase("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "adapter")]
    public void Names_of_unsupported_formats_are_refused(string name, string kind)
    {
        using TestFolder copy = TestFolder.CopyOf("llama_basic/ref");
        copy.Add(name, "I32", 4);
        CheckpointException refusal = copy.Refused();
        Assert.That((refusal.Field, refusal.Found), Is.EqualTo((name, refusal.Found)));
        Assert.That(refusal.Found, Does.Contain(kind));
    }
}
