using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>The weights of one block.</summary>
internal sealed record LlamaLayer<T>(
    Parameter<T> InputNorm,
    Parameter<T> QProj,
    Parameter<T> KProj,
    Parameter<T> VProj,
    Parameter<T> OProj,
    Parameter<T> PostAttentionNorm,
    Parameter<T> GateProj,
    Parameter<T> UpProj,
    Parameter<T> DownProj)
    where T : unmanaged;

/// <summary>All weights of a Llama model, under their Hugging Face names.</summary>
internal sealed class LlamaParameters<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Creates zero weights.</summary>
    public LlamaParameters(LlamaConfig config)
    {
        Config = config;
        int hidden = config.HiddenSize;
        EmbedTokens = new("model.embed_tokens.weight", [config.VocabSize, hidden]);
        Layers = [.. Enumerable.Range(0, config.NumLayers).Select(i => CreateLayer(config, $"model.layers.{i}."))];
        Norm = new("model.norm.weight", [hidden]);
        LmHead = new("lm_head.weight", [config.VocabSize, hidden]);
        All =
        [
            EmbedTokens,
            .. Layers.SelectMany(l => new[]
            {
                l.InputNorm, l.QProj, l.KProj, l.VProj, l.OProj, l.PostAttentionNorm, l.GateProj, l.UpProj, l.DownProj,
            }),
            Norm,
            LmHead,
        ];
    }

    /// <summary>The sizes.</summary>
    public LlamaConfig Config { get; }

    /// <summary>[vocab, hidden].</summary>
    public Parameter<T> EmbedTokens { get; }

    /// <summary>The blocks, first to last.</summary>
    public LlamaLayer<T>[] Layers { get; }

    /// <summary>[hidden].</summary>
    public Parameter<T> Norm { get; }

    /// <summary>[vocab, hidden].</summary>
    public Parameter<T> LmHead { get; }

    /// <summary>Every parameter, in a fixed order.</summary>
    public IReadOnlyList<Parameter<T>> All { get; }

    /// <summary>
    /// Sets norms to one and matrices to normal values with deviation 0.02; projections back into the residual stream get
    /// 0.02/√(2·layers), as in GPT-2, so that the stream's variance does not grow with depth.
    /// </summary>
    public void Initialize(DeterministicRandom random)
    {
        const double Deviation = 0.02;
        double residualDeviation = Deviation / Math.Sqrt(2 * Layers.Length);
        foreach (Parameter<T> parameter in All)
        {
            bool isResidual = Layers.Any(l => ReferenceEquals(parameter, l.OProj) || ReferenceEquals(parameter, l.DownProj));
            double deviation = isResidual ? residualDeviation : Deviation;
            for (int i = 0; i < parameter.Value.Length; i++)
                parameter.Value[i] = parameter.Shape.Length == 1 ? T.One : T.CreateChecked(deviation * random.NextGaussian());
        }
    }

    /// <summary>A copy of the values with gradients of its own.</summary>
    public LlamaParameters<T> Clone()
    {
        LlamaParameters<T> copy = new(Config);
        for (int i = 0; i < All.Count; i++)
            All[i].Value.CopyTo(copy.All[i].Value, 0);
        return copy;
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ClearGradients()
    {
        foreach (Parameter<T> parameter in All)
            Array.Clear(parameter.Gradient);
    }

    private static LlamaLayer<T> CreateLayer(LlamaConfig config, string prefix)
    {
        int hidden = config.HiddenSize, mlp = config.IntermediateSize;
        return new LlamaLayer<T>(
            new(prefix + "input_layernorm.weight", [hidden]),
            new(prefix + "self_attn.q_proj.weight", [hidden, hidden]),
            new(prefix + "self_attn.k_proj.weight", [config.KvSize, hidden]),
            new(prefix + "self_attn.v_proj.weight", [config.KvSize, hidden]),
            new(prefix + "self_attn.o_proj.weight", [hidden, hidden]),
            new(prefix + "post_attention_layernorm.weight", [hidden]),
            new(prefix + "mlp.gate_proj.weight", [mlp, hidden]),
            new(prefix + "mlp.up_proj.weight", [mlp, hidden]),
            new(prefix + "mlp.down_proj.weight", [hidden, mlp]));
    }
}
