namespace DeRa.Kernels;

/// <summary>
/// Where queries, keys and values lie in a packed projection row: head h of the queries starts at QOffset + h · QHeadStride, and so on.
/// One shape covers separate and stacked projections ([q; k; v]) and GPT-NeoX's per-head interleaving ([heads, 3, headDim]).
/// </summary>
public readonly record struct QkvLayout(
    int NumHeads, int NumKvHeads, int HeadDim, int QOffset, int QHeadStride, int KOffset, int KHeadStride, int VOffset, int VHeadStride)
{
    /// <summary>[all query heads | all key heads | all value heads].</summary>
    public static QkvLayout Stacked(int numHeads, int numKvHeads, int headDim) => new(
        numHeads, numKvHeads, headDim, 0, headDim, numHeads * headDim, headDim, (numHeads + numKvHeads) * headDim, headDim);

    /// <summary>[head, (query | key | value), headDim], as GPT-NeoX stores it (HF modeling_gpt_neox.py).</summary>
    public static QkvLayout Interleaved(int numHeads, int headDim) => new(
        numHeads, numHeads, headDim, 0, 3 * headDim, headDim, 3 * headDim, 2 * headDim, 3 * headDim);

    /// <summary>Floats of a packed row.</summary>
    public int Width => (NumHeads + 2 * NumKvHeads) * HeadDim;
}

/// <summary>
/// One layer's paged keys and values: element (block, kvHead, offset, d) at
/// ((block · NumKvHeads + kvHead) · BlockSize + offset) · HeadDim + d, in both buffers.
/// </summary>
/// <param name="Keys">[blocks, kvHeads, blockSize, headDim], already rotated.</param>
/// <param name="Values">[blocks, kvHeads, blockSize, headDim].</param>
/// <param name="Offset">First element of the layer in both buffers, in elements.</param>
/// <param name="NumBlocks">Blocks in the pool.</param>
/// <param name="BlockSize">Positions per block.</param>
/// <param name="NumKvHeads">Key and value heads.</param>
/// <param name="HeadDim">Elements per head.</param>
/// <param name="Type">Element type: float32, or a 16-bit type that <see cref="KernelSet.CacheType"/> names.</param>
public readonly record struct KvLayer(
    DeviceBuffer Keys, DeviceBuffer Values, long Offset, int NumBlocks, int BlockSize, int NumKvHeads, int HeadDim, DType Type = DType.F32);

/// <summary>
/// Rotation per token: cosines and sines [tokens, RotaryDim / 2], the attention factor of the scaling already multiplied in. The pair
/// (i, i + RotaryDim / 2) of a head is rotated by angle i ("rotate half", HF modeling_llama.py); elements past RotaryDim are kept.
/// </summary>
public readonly record struct RopeTable(Matrix Cos, Matrix Sin)
{
    /// <summary>Leading elements of a head that are rotated.</summary>
    public int RotaryDim => 2 * Cos.Columns;
}

/// <summary>RMS normalisation of every query and key head before the rotation (Qwen3): gains [1, headDim].</summary>
public readonly record struct HeadNorm(Weight QueryGain, Weight KeyGain, float Epsilon);

/// <summary>softmax(softCap(scale · q·k)) over keys with position in (p − Window, p].</summary>
/// <param name="Scale">Multiplies the dot products.</param>
/// <param name="Window">Number of most recent positions visible, the token's own included; null sees all.</param>
/// <param name="SoftCap">c · tanh(x / c) on the scaled scores; null leaves them.</param>
public readonly record struct AttentionOptions(float Scale, int? Window = null, float? SoftCap = null);
