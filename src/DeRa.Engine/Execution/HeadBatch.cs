using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Engine.Execution;

/// <summary>
/// The rows that draw a token in a step: packs each sequence's λ and sampling into <see cref="HeadRow"/>s, runs the fused head over them and
/// reads the results. Buffers grow and are kept.
/// </summary>
internal sealed class HeadBatch(KernelSet kernels) : IDisposable
{
    private readonly List<HeadRow> rows = [];
    private readonly List<TokenAdjustment> adjustments = [];
    private readonly GrowingBuffer rowBuffer = new(kernels), adjustmentBuffer = new(kernels), resultBuffer = new(kernels), topBuffer = new(kernels);
    private HeadResult[] results = [];
    private TopToken[] topTokens = [];
    private bool wantsTopTokens;

    public int Count => rows.Count;

    /// <summary>What <see cref="Enqueue"/> reads and writes, contents aside; after <see cref="Upload"/>.</summary>
    public HeadShape Shape => rows.Count == 0
        ? default
        : new HeadShape(rows.Count, rowBuffer.Buffer, adjustmentBuffer.Buffer, resultBuffer.Buffer, wantsTopTokens ? topBuffer.Buffer : null);

    public void Clear()
    {
        rows.Clear();
        adjustments.Clear();
        wantsTopTokens = false;
    }

    /// <summary>The row that draws a generation's next token.</summary>
    /// <param name="generation">Who draws.</param>
    /// <param name="lambda">λ of the row: the generation's, unless one model is both sides.</param>
    public void Add(Generation generation, float lambda) => Add(generation, lambda, [], isDraft: false);

    /// <summary>The row that draws the token after <paramref name="drafted"/>, which follow the sequence's last but are not yet its own.</summary>
    /// <param name="generation">Who draws.</param>
    /// <param name="lambda">λ.</param>
    /// <param name="drafted">Tokens between.</param>
    /// <param name="isDraft">Whether the token is itself a draft, of which nothing is reported.</param>
    public void Add(Generation generation, float lambda, ReadOnlySpan<int> drafted, bool isDraft)
    {
        GenerationRequest request = generation.Request;
        SamplingOptions sampling = request.Sampling;
        int start = adjustments.Count;
        if (sampling.AdjustsLogits)
        {
            AddAdjustments(generation, sampling, drafted);
        }

        int top = isDraft ? 0 : request.TopTokens;
        wantsTopTokens |= top > 0;
        rows.Add(new HeadRow
        {
            Lambda = lambda,
            Temperature = sampling.Temperature,
            TopK = sampling.TopK,
            TopP = sampling.TopP,
            MinP = sampling.MinP,
            RepetitionPenalty = sampling.RepetitionPenalty,
            PresencePenalty = sampling.PresencePenalty,
            FrequencyPenalty = sampling.FrequencyPenalty,
            SeedLow = (uint)generation.Seed,
            SeedHigh = (uint)(generation.Seed >> 32),
            Stream = generation.Stream,
            Position = generation.Sequence.Tokens.Count + drafted.Length,
            AdjustmentStart = start,
            AdjustmentCount = adjustments.Count - start,
            TopTokens = top,
        });
    }

    /// <summary>Copies the rows to the device. Not while operations are enqueued.</summary>
    public void Upload()
    {
        resultBuffer.Reserve<HeadResult>(rows.Count);
        if (wantsTopTokens)
        {
            topBuffer.Reserve<TopToken>(rows.Count * HeadLimits.MaxTopTokens);
        }

        rowBuffer.Write<HeadRow>(CollectionsMarshal.AsSpan(rows));
        adjustmentBuffer.Write<TokenAdjustment>(CollectionsMarshal.AsSpan(adjustments));
    }

    /// <summary>Enqueues the fused head over all rows.</summary>
    public void Enqueue(HeadModel? reference, HeadModel? aligned, int vocabulary, bool statistics) => kernels.RealignHead(
        reference, aligned, vocabulary, rowBuffer.Buffer, adjustmentBuffer.Buffer, statistics, resultBuffer.Buffer, wantsTopTokens ? topBuffer.Buffer : null);

    /// <summary>Enqueues mixing stored logits of both models by the rows' λ.</summary>
    public void EnqueueInterpolate(Matrix reference, Matrix aligned, Matrix z) => kernels.Interpolate(reference, aligned, rowBuffer.Buffer, z);

    /// <summary>Enqueues drawing from stored logits.</summary>
    public void EnqueueSample(Matrix z) => kernels.SampleLogits(z, rowBuffer.Buffer, adjustmentBuffer.Buffer, resultBuffer.Buffer);

    /// <summary>Enqueues judging one draft per row by stored logits.</summary>
    public void EnqueueVerify(Matrix z, Matrix draftLogits, IntVector drafts) =>
        kernels.VerifyDrafts(z, draftLogits, drafts, rowBuffer.Buffer, adjustmentBuffer.Buffer, resultBuffer.Buffer);

    /// <summary>Reads the results back after the step has run; they stay valid until the next read.</summary>
    public void Read()
    {
        Array.Resize(ref results, Math.Max(results.Length, rows.Count));
        resultBuffer.Read(results.AsSpan(0, rows.Count));
        if (wantsTopTokens)
        {
            Array.Resize(ref topTokens, Math.Max(topTokens.Length, rows.Count * HeadLimits.MaxTopTokens));
            topBuffer.Read(topTokens.AsSpan(0, rows.Count * HeadLimits.MaxTopTokens));
        }
    }

    /// <summary>The result of one row.</summary>
    public HeadResult Result(int row) => results[row];

    /// <summary>The most likely tokens of one row, as many as it asked for.</summary>
    public TopToken[] TopTokens(int row) =>
        rows[row].TopTokens == 0 ? [] : topTokens.AsSpan(row * HeadLimits.MaxTopTokens, results[row].TopCount).ToArray();

    public void Dispose()
    {
        rowBuffer.Dispose();
        adjustmentBuffer.Dispose();
        resultBuffer.Dispose();
        topBuffer.Dispose();
    }

    private void AddAdjustments(Generation generation, SamplingOptions sampling, ReadOnlySpan<int> drafted)
    {
        var byToken = new SortedDictionary<int, TokenAdjustment>();
        foreach ((int token, float bias) in sampling.LogitBias)
        {
            byToken[token] = new TokenAdjustment { TokenId = token, Bias = bias };
        }

        foreach (int token in generation.Sequence.Tokens)
        {
            byToken.TryGetValue(token, out TokenAdjustment adjustment);
            adjustment.TokenId = token;
            adjustment.InContext = 1;
            adjustment.OutputCount = generation.OutputCounts.GetValueOrDefault(token);
            byToken[token] = adjustment;
        }

        foreach (int token in drafted)
        {
            byToken.TryGetValue(token, out TokenAdjustment adjustment);
            adjustment.TokenId = token;
            adjustment.InContext = 1;
            adjustment.OutputCount++;
            byToken[token] = adjustment;
        }

        adjustments.AddRange(byToken.Values);
    }
}

/// <summary>Size and memory of a head's call; equal shapes make equal calls.</summary>
internal readonly record struct HeadShape(int Rows, DeviceBuffer? RowBuffer, DeviceBuffer? Adjustments, DeviceBuffer? Results, DeviceBuffer? TopTokens);
