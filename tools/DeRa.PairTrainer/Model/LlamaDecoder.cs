using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>Tokens to append to cached sequences: row i puts Tokens[i] at Positions[i] of sequence Slots[i].</summary>
internal sealed record DecodeRows(int[] Slots, int[] Positions, int[] Tokens);

/// <summary>The forward pass for sampling: one cache line of keys and values per sequence, any number of new tokens per call.</summary>
internal sealed class LlamaDecoder
{
    private readonly LlamaParameters<float> parameters;
    private readonly LlamaConfig config;
    private readonly Workers workers;
    private readonly RotaryEmbedding<float> rope;
    private readonly int capacity;
    private readonly float[][] keys;    // per layer [slots, capacity, kvHeads, headDim]
    private readonly float[][] values;  // per layer [slots, capacity, kvHeads, headDim]
    private float[] residual = [], normed = [], inverseRoot = [], q = [], k = [], v = [], attended = [], gate = [], up = [], logits = [];

    /// <summary>Makes room for <paramref name="slots"/> sequences of up to <paramref name="capacity"/> tokens.</summary>
    public LlamaDecoder(LlamaParameters<float> parameters, Workers workers, int slots, int capacity)
    {
        this.parameters = parameters;
        this.workers = workers;
        this.capacity = capacity;
        config = parameters.Config;
        rope = new RotaryEmbedding<float>(config);
        keys = [.. Enumerable.Range(0, config.NumLayers).Select(_ => new float[slots * capacity * config.KvSize])];
        values = [.. Enumerable.Range(0, config.NumLayers).Select(_ => new float[slots * capacity * config.KvSize])];
    }

    /// <summary>
    /// Appends the rows and returns logits [rows, vocab], valid until the next call. Rows of one sequence must be in order and
    /// follow directly on what its cache holds.
    /// </summary>
    public float[] Forward(DecodeRows rows)
    {
        int count = rows.Tokens.Length, hidden = config.HiddenSize;
        Prepare(count);
        for (int r = 0; r < count; r++)
            Array.Copy(parameters.EmbedTokens.Value, rows.Tokens[r] * hidden, residual, r * hidden, hidden);
        for (int l = 0; l < config.NumLayers; l++)
            ForwardLayer(parameters.Layers[l], keys[l], values[l], rows);
        RmsNorm.Forward(workers, residual, parameters.Norm.Value, normed, inverseRoot, count);
        Linear(normed, parameters.LmHead, logits, count);
        return logits;
    }

    private void ForwardLayer(LlamaLayer<float> layer, float[] layerKeys, float[] layerValues, DecodeRows rows)
    {
        int count = rows.Tokens.Length;
        RmsNorm.Forward(workers, residual, layer.InputNorm.Value, normed, inverseRoot, count);
        Linear(normed, layer.QProj, q, count);
        Linear(normed, layer.KProj, k, count);
        Linear(normed, layer.VProj, v, count);
        rope.Rotate(workers, q, config.HiddenSize, rows.Positions);
        rope.Rotate(workers, k, config.KvSize, rows.Positions);
        for (int r = 0; r < count; r++)
        {
            int line = CacheLine(rows.Slots[r], rows.Positions[r]);
            Array.Copy(k, r * config.KvSize, layerKeys, line, config.KvSize);
            Array.Copy(v, r * config.KvSize, layerValues, line, config.KvSize);
        }

        Attend(layerKeys, layerValues, rows);
        Linear(attended, layer.OProj, residual, count, accumulate: true);

        RmsNorm.Forward(workers, residual, layer.PostAttentionNorm.Value, normed, inverseRoot, count);
        Linear(normed, layer.GateProj, gate, count);
        Linear(normed, layer.UpProj, up, count);
        GatedActivation.Forward(workers, gate, up, gate, count * config.IntermediateSize);
        Linear(gate, layer.DownProj, residual, count, accumulate: true);
    }

    private void Attend(float[] layerKeys, float[] layerValues, DecodeRows rows)
    {
        int dim = config.HeadDim;
        float scale = 1 / MathF.Sqrt(dim);
        workers.ForRanges(rows.Tokens.Length, (first, end) =>
        {
            Span<float> scores = stackalloc float[capacity];
            for (int r = first; r < end; r++)
            {
                Span<float> row = scores[..(rows.Positions[r] + 1)];
                for (int head = 0; head < config.NumHeads; head++)
                {
                    int kvOffset = head * config.NumKvHeads / config.NumHeads * dim;
                    int headOffset = r * config.HiddenSize + head * dim;
                    for (int j = 0; j < row.Length; j++)
                        row[j] = scale * VectorMath.Dot<float>(q.AsSpan(headOffset, dim), layerKeys.AsSpan(CacheLine(rows.Slots[r], j) + kvOffset, dim));
                    VectorMath.Softmax(row);
                    Span<float> output = attended.AsSpan(headOffset, dim);
                    output.Clear();
                    for (int j = 0; j < row.Length; j++)
                        VectorMath.AddScaled<float>(output, row[j], layerValues.AsSpan(CacheLine(rows.Slots[r], j) + kvOffset, dim));
                }
            }
        });
    }

    private int CacheLine(int slot, int position) => (slot * capacity + position) * config.KvSize;

    private void Linear(float[] x, Parameter<float> weight, float[] y, int rows, bool accumulate = false)
    {
        Matrix<float> w = new(weight.Value, weight.Shape[0], weight.Shape[1]);
        Gemm.Multiply(workers, new Matrix<float>(x, rows, w.Columns), w.Transposed, y, accumulate);
    }

    private void Prepare(int rows)
    {
        Buffers.Ensure(ref residual, rows * config.HiddenSize);
        Buffers.Ensure(ref normed, rows * config.HiddenSize);
        Buffers.Ensure(ref inverseRoot, rows);
        Buffers.Ensure(ref q, rows * config.HiddenSize);
        Buffers.Ensure(ref k, rows * config.KvSize);
        Buffers.Ensure(ref v, rows * config.KvSize);
        Buffers.Ensure(ref attended, rows * config.HiddenSize);
        Buffers.Ensure(ref gate, rows * config.IntermediateSize);
        Buffers.Ensure(ref up, rows * config.IntermediateSize);
        Buffers.Ensure(ref logits, rows * config.VocabSize);
    }
}
