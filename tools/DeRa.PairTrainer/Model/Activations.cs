namespace DeRa.PairTrainer.Model;

/// <summary>What one block's backward pass needs from its forward pass.</summary>
internal sealed class LayerActivations<T>
    where T : unmanaged
{
    public T[] Input = [];              // [tokens, hidden]
    public T[] InputInverseRoot = [];   // [tokens]
    public T[] AttentionInput = [];     // [tokens, hidden]
    public T[] Q = [];                  // [tokens, heads, headDim], rotated
    public T[] K = [];                  // [tokens, kvHeads, headDim], rotated
    public T[] V = [];                  // [tokens, kvHeads, headDim]
    public T[] Probabilities = [];      // per sequence [heads, length, length]
    public T[] AttentionOutput = [];    // [tokens, heads, headDim]
    public T[] Middle = [];             // [tokens, hidden]
    public T[] MiddleInverseRoot = [];  // [tokens]
    public T[] MlpInput = [];           // [tokens, hidden]
    public T[] Gate = [];               // [tokens, intermediate]
    public T[] Up = [];                 // [tokens, intermediate]
    public T[] Activated = [];          // [tokens, intermediate]

    /// <summary>Makes room for a batch.</summary>
    public void Prepare(LlamaConfig config, PackedBatch batch)
    {
        int tokens = batch.Tokens.Length;
        Buffers.Ensure(ref Input, tokens * config.HiddenSize);
        Buffers.Ensure(ref InputInverseRoot, tokens);
        Buffers.Ensure(ref AttentionInput, tokens * config.HiddenSize);
        Buffers.Ensure(ref Q, tokens * config.HiddenSize);
        Buffers.Ensure(ref K, tokens * config.KvSize);
        Buffers.Ensure(ref V, tokens * config.KvSize);
        Buffers.Ensure(ref Probabilities, CausalAttention.ProbabilityCount(config, batch));
        Buffers.Ensure(ref AttentionOutput, tokens * config.HiddenSize);
        Buffers.Ensure(ref Middle, tokens * config.HiddenSize);
        Buffers.Ensure(ref MiddleInverseRoot, tokens);
        Buffers.Ensure(ref MlpInput, tokens * config.HiddenSize);
        Buffers.Ensure(ref Gate, tokens * config.IntermediateSize);
        Buffers.Ensure(ref Up, tokens * config.IntermediateSize);
        Buffers.Ensure(ref Activated, tokens * config.IntermediateSize);
    }
}

/// <summary>Gradients of activations; one set serves all blocks in turn.</summary>
internal sealed class GradientBuffers<T>
    where T : unmanaged
{
    public T[] Residual = [];         // [tokens, hidden]
    public T[] Normed = [];           // [tokens, hidden]
    public T[] Q = [];                // [tokens, heads, headDim]
    public T[] K = [];                // [tokens, kvHeads, headDim]
    public T[] V = [];                // [tokens, kvHeads, headDim]
    public T[] AttentionOutput = [];  // [tokens, heads, headDim]
    public T[] Gate = [];             // [tokens, intermediate]
    public T[] Up = [];               // [tokens, intermediate]
    public T[] Activated = [];        // [tokens, intermediate]

    /// <summary>Makes room for a number of tokens.</summary>
    public void Prepare(LlamaConfig config, int tokens)
    {
        Buffers.Ensure(ref Residual, tokens * config.HiddenSize);
        Buffers.Ensure(ref Normed, tokens * config.HiddenSize);
        Buffers.Ensure(ref Q, tokens * config.HiddenSize);
        Buffers.Ensure(ref K, tokens * config.KvSize);
        Buffers.Ensure(ref V, tokens * config.KvSize);
        Buffers.Ensure(ref AttentionOutput, tokens * config.HiddenSize);
        Buffers.Ensure(ref Gate, tokens * config.IntermediateSize);
        Buffers.Ensure(ref Up, tokens * config.IntermediateSize);
        Buffers.Ensure(ref Activated, tokens * config.IntermediateSize);
    }
}

/// <summary>Growing scratch arrays.</summary>
internal static class Buffers
{
    /// <summary>Replaces the array when it is too short; contents are not kept.</summary>
    public static void Ensure<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new T[length];
    }
}
