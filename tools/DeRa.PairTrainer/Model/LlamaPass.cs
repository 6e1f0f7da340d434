using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>
/// Forward and backward pass of a Llama model over a packed batch, written by hand and checked against finite differences in
/// float64 (the type is a parameter for that reason). Activations live here and are reused from step to step.
/// </summary>
internal sealed class LlamaPass<T>(LlamaConfig config, Workers workers)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RotaryEmbedding<T> rope = new(config);
    private readonly LayerActivations<T>[] layers = [.. Enumerable.Range(0, config.NumLayers).Select(_ => new LayerActivations<T>())];
    private readonly GradientBuffers<T> gradients = new();
    private T[] residual = [];       // [tokens, hidden] after the last block
    private T[] normed = [];         // [tokens, hidden] after the final norm
    private T[] inverseRoot = [];    // [tokens]
    private T[] logits = [];         // [tokens, vocab]

    /// <summary>Runs the model; the returned buffer [tokens, vocab] is valid until the next call.</summary>
    public T[] Forward(LlamaParameters<T> parameters, PackedBatch batch)
    {
        int tokens = batch.Tokens.Length;
        Prepare(batch);
        Embed(parameters, batch, layers[0].Input);
        for (int l = 0; l < layers.Length; l++)
            ForwardLayer(parameters.Layers[l], layers[l], batch, l + 1 < layers.Length ? layers[l + 1].Input : residual);
        RmsNorm.Forward(workers, residual, parameters.Norm.Value, normed, inverseRoot, tokens);
        Linear(normed, parameters.LmHead, logits, tokens);
        return logits;
    }

    /// <summary>Adds d loss / d parameter to the gradients of all parameters, for the batch of the last forward pass.</summary>
    /// <param name="parameters">The weights that pass used.</param>
    /// <param name="batch">The batch that pass used.</param>
    /// <param name="dLogits">[tokens, vocab].</param>
    public void Backward(LlamaParameters<T> parameters, PackedBatch batch, T[] dLogits)
    {
        int tokens = batch.Tokens.Length;
        T[] dResidual = gradients.Residual, dNormed = gradients.Normed;
        LinearBackward(dLogits, normed, parameters.LmHead, dNormed, tokens, accumulateInput: false);
        Array.Clear(dResidual, 0, tokens * config.HiddenSize);
        RmsNorm.Backward(workers, dNormed, residual, parameters.Norm.Value, inverseRoot, dResidual, parameters.Norm.Gradient, tokens);
        for (int l = layers.Length - 1; l >= 0; l--)
            BackwardLayer(parameters.Layers[l], layers[l], batch, dResidual);
        for (int t = 0; t < tokens; t++)
        {
            VectorMath.AddScaled(
                parameters.EmbedTokens.Gradient.AsSpan(batch.Tokens[t] * config.HiddenSize, config.HiddenSize),
                T.One,
                dResidual.AsSpan(t * config.HiddenSize, config.HiddenSize));
        }
    }

    private void ForwardLayer(LlamaLayer<T> layer, LayerActivations<T> a, PackedBatch batch, T[] output)
    {
        int tokens = batch.Tokens.Length, hidden = config.HiddenSize;
        RmsNorm.Forward(workers, a.Input, layer.InputNorm.Value, a.AttentionInput, a.InputInverseRoot, tokens);
        Linear(a.AttentionInput, layer.QProj, a.Q, tokens);
        Linear(a.AttentionInput, layer.KProj, a.K, tokens);
        Linear(a.AttentionInput, layer.VProj, a.V, tokens);
        rope.Rotate(workers, a.Q, hidden, batch.Positions);
        rope.Rotate(workers, a.K, config.KvSize, batch.Positions);
        CausalAttention.Forward(workers, config, batch, a.Q, a.K, a.V, a.Probabilities, a.AttentionOutput);
        Array.Copy(a.Input, a.Middle, tokens * hidden);
        Linear(a.AttentionOutput, layer.OProj, a.Middle, tokens, accumulate: true);

        RmsNorm.Forward(workers, a.Middle, layer.PostAttentionNorm.Value, a.MlpInput, a.MiddleInverseRoot, tokens);
        Linear(a.MlpInput, layer.GateProj, a.Gate, tokens);
        Linear(a.MlpInput, layer.UpProj, a.Up, tokens);
        GatedActivation.Forward(workers, a.Gate, a.Up, a.Activated, tokens * config.IntermediateSize);
        Array.Copy(a.Middle, output, tokens * hidden);
        Linear(a.Activated, layer.DownProj, output, tokens, accumulate: true);
    }

    /// <summary>Turns <paramref name="dResidual"/> from the gradient of the block's output into that of its input.</summary>
    private void BackwardLayer(LlamaLayer<T> layer, LayerActivations<T> a, PackedBatch batch, T[] dResidual)
    {
        int tokens = batch.Tokens.Length, hidden = config.HiddenSize;
        GradientBuffers<T> g = gradients;
        LinearBackward(dResidual, a.Activated, layer.DownProj, g.Activated, tokens, accumulateInput: false);
        GatedActivation.Backward(workers, g.Activated, a.Gate, a.Up, g.Gate, g.Up, tokens * config.IntermediateSize);
        LinearBackward(g.Gate, a.MlpInput, layer.GateProj, g.Normed, tokens, accumulateInput: false);
        LinearBackward(g.Up, a.MlpInput, layer.UpProj, g.Normed, tokens, accumulateInput: true);
        RmsNorm.Backward(
            workers, g.Normed, a.Middle, layer.PostAttentionNorm.Value, a.MiddleInverseRoot, dResidual, layer.PostAttentionNorm.Gradient, tokens);

        LinearBackward(dResidual, a.AttentionOutput, layer.OProj, g.AttentionOutput, tokens, accumulateInput: false);
        Array.Clear(g.Q, 0, tokens * hidden);
        Array.Clear(g.K, 0, tokens * config.KvSize);
        Array.Clear(g.V, 0, tokens * config.KvSize);
        CausalAttention.Backward(workers, config, batch, a.Q, a.K, a.V, a.Probabilities, g.AttentionOutput, g.Q, g.K, g.V);
        rope.Rotate(workers, g.Q, hidden, batch.Positions, inverse: true);
        rope.Rotate(workers, g.K, config.KvSize, batch.Positions, inverse: true);
        LinearBackward(g.Q, a.AttentionInput, layer.QProj, g.Normed, tokens, accumulateInput: false);
        LinearBackward(g.K, a.AttentionInput, layer.KProj, g.Normed, tokens, accumulateInput: true);
        LinearBackward(g.V, a.AttentionInput, layer.VProj, g.Normed, tokens, accumulateInput: true);
        RmsNorm.Backward(workers, g.Normed, a.Input, layer.InputNorm.Value, a.InputInverseRoot, dResidual, layer.InputNorm.Gradient, tokens);
    }

    private void Embed(LlamaParameters<T> parameters, PackedBatch batch, T[] output)
    {
        int hidden = config.HiddenSize;
        for (int t = 0; t < batch.Tokens.Length; t++)
            Array.Copy(parameters.EmbedTokens.Value, batch.Tokens[t] * hidden, output, t * hidden, hidden);
    }

    /// <summary>y = x·Wᵀ, with W [out, in].</summary>
    private void Linear(T[] x, Parameter<T> weight, T[] y, int tokens, bool accumulate = false)
    {
        Matrix<T> w = new(weight.Value, weight.Shape[0], weight.Shape[1]);
        Gemm.Multiply(workers, new Matrix<T>(x, tokens, w.Columns), w.Transposed, y, accumulate);
    }

    /// <summary>dW += dyᵀ·x; dx (+)= dy·W.</summary>
    private void LinearBackward(T[] dy, T[] x, Parameter<T> weight, T[] dx, int tokens, bool accumulateInput)
    {
        Matrix<T> w = new(weight.Value, weight.Shape[0], weight.Shape[1]);
        Matrix<T> dOutput = new(dy, tokens, w.Rows);
        Gemm.Multiply(workers, dOutput.Transposed, new Matrix<T>(x, tokens, w.Columns), weight.Gradient, accumulate: true);
        Gemm.Multiply(workers, dOutput, w, dx, accumulateInput);
    }

    private void Prepare(PackedBatch batch)
    {
        int tokens = batch.Tokens.Length, hidden = config.HiddenSize;
        Buffers.Ensure(ref residual, tokens * hidden);
        Buffers.Ensure(ref normed, tokens * hidden);
        Buffers.Ensure(ref inverseRoot, tokens);
        Buffers.Ensure(ref logits, tokens * config.VocabSize);
        foreach (LayerActivations<T> layer in layers)
            layer.Prepare(config, batch);
        gradients.Prepare(config, tokens);
    }
}
