namespace DeRa.Kernels;

public abstract partial class KernelSet
{
    /// <summary>output[t] = scale · table[tokens[t]] (+ positionTable[positions[t]]).</summary>
    /// <param name="tokens">[tokens], each below table.Rows.</param>
    /// <param name="table">[vocab, hidden].</param>
    /// <param name="scale">Multiplies the token's embedding (Gemma: √hidden), else 1.</param>
    /// <param name="positions">[tokens] rows of <paramref name="positionTable"/>; given exactly when it is.</param>
    /// <param name="positionTable">[positions, hidden] learned positions (GPT-2), or null.</param>
    /// <param name="output">[tokens, hidden].</param>
    public void Embed(IntVector tokens, Weight table, float scale, IntVector? positions, Weight? positionTable, Matrix output)
    {
        Guard.Shape(output, tokens.Length, table.Columns, nameof(output));
        Guard.Together(positions is null, positionTable is null, nameof(positions), nameof(positionTable));
        if (positionTable is { } p)
        {
            Guard.Equal(p.Columns, table.Columns, "width of the position table");
            Guard.RowStride(this, p, "position table");
        }

        Guard.RowStride(this, table, "table");

        EnqueueEmbed(tokens, table, scale, positions, positionTable, output);
    }

    /// <summary>
    /// y = x / √(mean(x²) + ε) · gain, gain taken as 1 + weight when <paramref name="unitOffset"/> (Gemma); y += … when
    /// <paramref name="accumulate"/> (HF modeling_llama.py, modeling_gemma2.py).
    /// </summary>
    /// <param name="x">[tokens, hidden]; may be y itself when not accumulating.</param>
    /// <param name="gain">[1, hidden].</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="unitOffset">The stored weight is the gain minus one.</param>
    /// <param name="y">[tokens, hidden].</param>
    /// <param name="accumulate">Adds to y, the residual stream.</param>
    public void RmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate = false)
    {
        Guard.Shape(y, x.Rows, x.Columns, nameof(y));
        Guard.Equal(gain.Columns, x.Columns, "length of the gain");
        EnqueueRmsNorm(x, gain, epsilon, unitOffset, y, accumulate);
    }

    /// <summary>y = (x − mean(x)) / √(var(x) + ε) · gain + bias, the variance over the row without correction.</summary>
    /// <param name="x">[tokens, hidden].</param>
    /// <param name="gain">[1, hidden].</param>
    /// <param name="bias">[1, hidden], or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="y">[tokens, hidden]; may be x.</param>
    public void LayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y)
    {
        Guard.Shape(y, x.Rows, x.Columns, nameof(y));
        Guard.Equal(gain.Columns, x.Columns, "length of the gain");
        EnqueueLayerNorm(x, gain, bias, epsilon, y);
    }

    /// <summary>
    /// <see cref="RmsNorm"/> of some rows, y[i] = norm(x[rows[i]]): the hidden states that something is drawn from. Equal to <see cref="Gather"/> into y, then
    /// RmsNorm of y in place.
    /// </summary>
    /// <param name="x">[tokens, hidden]; not y.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="gain">[1, hidden].</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="unitOffset">The stored weight is the gain minus one.</param>
    /// <param name="y">[rows, hidden].</param>
    public void RmsNormRows(Matrix x, IntVector rows, Weight gain, float epsilon, bool unitOffset, Matrix y)
    {
        Guard.Shape(y, rows.Length, x.Columns, nameof(y));
        Guard.Equal(gain.Columns, x.Columns, "length of the gain");
        EnqueueRmsNormRows(x, rows, gain, epsilon, unitOffset, y);
    }

    /// <summary><see cref="LayerNorm"/> of some rows, y[i] = norm(x[rows[i]]), as <see cref="RmsNormRows"/>.</summary>
    /// <param name="x">[tokens, hidden]; not y.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="gain">[1, hidden].</param>
    /// <param name="bias">[1, hidden], or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="y">[rows, hidden].</param>
    public void LayerNormRows(Matrix x, IntVector rows, Weight gain, Weight? bias, float epsilon, Matrix y)
    {
        Guard.Shape(y, rows.Length, x.Columns, nameof(y));
        Guard.Equal(gain.Columns, x.Columns, "length of the gain");
        EnqueueLayerNormRows(x, rows, gain, bias, epsilon, y);
    }

    /// <summary>y = x · Wᵀ (+ bias), or y += … when <paramref name="accumulate"/> (the residual add of an output projection).</summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="w">[out, in], either storage order.</param>
    /// <param name="bias">[1, out], or null.</param>
    /// <param name="y">[tokens, out]; not x.</param>
    /// <param name="accumulate">Adds to y.</param>
    public void Linear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate = false)
    {
        Guard.Equal(x.Columns, w.Columns, "input features");
        Guard.Shape(y, x.Rows, w.Rows, nameof(y));
        Guard.RowStride(this, w, "weight");
        if (bias is { } b)
        {
            Guard.Equal(b.Columns, w.Rows, "length of the bias");
        }

        EnqueueLinear(x, w, bias, y, accumulate);
    }

    /// <summary>
    /// Per token: normalises query and key heads (optional), rotates both (optional), leaves the query in place and writes key and value to the
    /// token's cache slot.
    /// </summary>
    /// <param name="qkv">[tokens, layout.Width] projections; the query part is overwritten, the rest may be.</param>
    /// <param name="layout">Where the heads lie.</param>
    /// <param name="rope">[tokens, rotaryDim / 2] angles, or null without rotary embedding (GPT-2).</param>
    /// <param name="headNorm">Head normalisation before the rotation, or null.</param>
    /// <param name="cache">The layer's cache.</param>
    /// <param name="batch">Slots per token.</param>
    public void RopeAndStoreKv(Matrix qkv, QkvLayout layout, RopeTable? rope, HeadNorm? headNorm, KvLayer cache, DeviceBatch batch)
    {
        Guard.Shape(qkv, batch.TokenCount, layout.Width, nameof(qkv));
        Guard.Equal(cache.HeadDim, layout.HeadDim, "head dimension of the cache");
        Guard.CacheType(cache, CacheType(cache.HeadDim, cache.Type));
        Guard.Equal(cache.NumKvHeads, layout.NumKvHeads, "key-value heads of the cache");
        if (rope is { } r)
        {
            Guard.Equal(r.Cos.Rows, batch.TokenCount, "rows of the rotation table");
            Guard.AtMost(r.RotaryDim, layout.HeadDim, "rotated elements of a head");
        }

        EnqueueRopeAndStoreKv(qkv, layout, rope, headNorm, cache, batch);
    }

    /// <summary>
    /// Causal attention of every token over its own sequence's cache: output[t, h] = Σ_j softmax_j(softCap(scale · q_t,h · k_j))·v_j over the
    /// visible positions j ≤ position of t; query head h reads key-value head h · NumKvHeads / NumHeads.
    /// </summary>
    /// <param name="qkv">[tokens, layout.Width], queries rotated by <see cref="RopeAndStoreKv"/>.</param>
    /// <param name="layout">Where the query heads lie.</param>
    /// <param name="cache">The layer's cache, this step's keys and values included.</param>
    /// <param name="batch">Positions and block tables.</param>
    /// <param name="options">Scale, window, soft cap.</param>
    /// <param name="output">[tokens, heads · headDim].</param>
    public void PagedAttention(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output)
    {
        Guard.Shape(qkv, batch.TokenCount, layout.Width, nameof(qkv));
        Guard.Shape(output, batch.TokenCount, layout.NumHeads * layout.HeadDim, nameof(output));
        Guard.CacheType(cache, CacheType(cache.HeadDim, cache.Type));
        EnqueuePagedAttention(qkv, layout, cache, batch, options, output);
    }

    /// <summary>y[t, i] = activation(x[t, i]) · x[t, n + i] for i &lt; n (SwiGLU and its kin).</summary>
    /// <param name="gateUp">[tokens, 2n]: gate, then up.</param>
    /// <param name="activation">Applied to the gate.</param>
    /// <param name="y">[tokens, n]; not overlapping gateUp.</param>
    public void GatedActivation(Matrix gateUp, ActivationKind activation, Matrix y)
    {
        Guard.Shape(gateUp, y.Rows, 2 * y.Columns, nameof(gateUp));
        EnqueueGatedActivation(gateUp, activation, y);
    }

    /// <summary>
    /// y = activation(x·W_gᵀ + b_g) · (x·W_uᵀ + b_u), with the bits of <see cref="Linear"/> twice and <see cref="GatedActivation"/>, which it is
    /// unless a set does it in one.
    /// </summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="gate">[n, in].</param>
    /// <param name="gateBias">[1, n], or null.</param>
    /// <param name="up">[n, in].</param>
    /// <param name="upBias">[1, n], or null.</param>
    /// <param name="activation">Applied to the gate.</param>
    /// <param name="gateUp">[tokens, 2n] scratch; holds anything afterwards.</param>
    /// <param name="y">[tokens, n]; not overlapping x or gateUp.</param>
    public void GatedLinear(
        Matrix x, Weight gate, Weight? gateBias, Weight up, Weight? upBias, ActivationKind activation, Matrix gateUp, Matrix y)
    {
        Guard.Equal(x.Columns, gate.Columns, "input features of the gate");
        Guard.Equal(x.Columns, up.Columns, "input features of the up projection");
        Guard.Shape(y, x.Rows, gate.Rows, nameof(y));
        Guard.Equal(up.Rows, gate.Rows, "outputs of the up projection");
        Guard.RowStride(this, gate, "gate");
        Guard.RowStride(this, up, "up projection");
        Guard.Shape(gateUp, y.Rows, 2 * y.Columns, nameof(gateUp));
        if (gateBias is { } g)
        {
            Guard.Equal(g.Columns, gate.Rows, "length of the gate's bias");
        }

        if (upBias is { } u)
        {
            Guard.Equal(u.Columns, up.Rows, "length of the up projection's bias");
        }

        EnqueueGatedLinear(x, gate, gateBias, up, upBias, activation, gateUp, y);
    }

    /// <summary>x = activation(x) in place.</summary>
    public void Activation(Matrix x, ActivationKind activation) => EnqueueActivation(x, activation);

    /// <summary>y[i] = x[rows[i]]: the last hidden state of each sequence.</summary>
    public void Gather(Matrix x, IntVector rows, Matrix y)
    {
        Guard.Shape(y, rows.Length, x.Columns, nameof(y));
        EnqueueGather(x, rows, y);
    }

    /// <summary>x = cap · tanh(x / cap) in place (final logits of Gemma 2 outside the fused head).</summary>
    public void SoftCap(Matrix x, float cap) => EnqueueSoftCap(x, cap);

    /// <summary>Implements <see cref="Embed"/>.</summary>
    protected abstract void EnqueueEmbed(IntVector tokens, Weight table, float scale, IntVector? positions, Weight? positionTable, Matrix output);

    /// <summary>Implements <see cref="RmsNorm"/>.</summary>
    protected abstract void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate);

    /// <summary>Implements <see cref="LayerNorm"/>.</summary>
    protected abstract void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y);

    /// <summary>Implements <see cref="RmsNormRows"/>.</summary>
    protected virtual void EnqueueRmsNormRows(Matrix x, IntVector rows, Weight gain, float epsilon, bool unitOffset, Matrix y)
    {
        EnqueueGather(x, rows, y);
        EnqueueRmsNorm(y, gain, epsilon, unitOffset, y, accumulate: false);
    }

    /// <summary>Implements <see cref="LayerNormRows"/>.</summary>
    protected virtual void EnqueueLayerNormRows(Matrix x, IntVector rows, Weight gain, Weight? bias, float epsilon, Matrix y)
    {
        EnqueueGather(x, rows, y);
        EnqueueLayerNorm(y, gain, bias, epsilon, y);
    }

    /// <summary>Implements <see cref="Linear"/>.</summary>
    protected abstract void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate);

    /// <summary>Implements <see cref="RopeAndStoreKv"/>.</summary>
    protected abstract void EnqueueRopeAndStoreKv(
        Matrix qkv, QkvLayout layout, RopeTable? rope, HeadNorm? headNorm, KvLayer cache, DeviceBatch batch);

    /// <summary>Implements <see cref="PagedAttention"/>.</summary>
    protected abstract void EnqueuePagedAttention(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output);

    /// <summary>Implements <see cref="GatedActivation"/>.</summary>
    protected abstract void EnqueueGatedActivation(Matrix gateUp, ActivationKind activation, Matrix y);

    /// <summary>Implements <see cref="GatedLinear"/>.</summary>
    protected virtual void EnqueueGatedLinear(
        Matrix x, Weight gate, Weight? gateBias, Weight up, Weight? upBias, ActivationKind activation, Matrix gateUp, Matrix y)
    {
        EnqueueLinear(x, gate, gateBias, gateUp.Slice(0, gate.Rows), accumulate: false);
        EnqueueLinear(x, up, upBias, gateUp.Slice(gate.Rows, up.Rows), accumulate: false);
        EnqueueGatedActivation(gateUp, activation, y);
    }

    /// <summary>Implements <see cref="Activation"/>.</summary>
    protected abstract void EnqueueActivation(Matrix x, ActivationKind activation);

    /// <summary>Implements <see cref="Gather"/>.</summary>
    protected abstract void EnqueueGather(Matrix x, IntVector rows, Matrix y);

    /// <summary>Implements <see cref="SoftCap"/>.</summary>
    protected abstract void EnqueueSoftCap(Matrix x, float cap);
}
