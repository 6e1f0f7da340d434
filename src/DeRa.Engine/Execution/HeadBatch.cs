using System.Numerics;
using System.Runtime.InteropServices;
using DeRa.Engine.Scheduling;
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
    private HeadResult[] results = [];
    private TopToken[] topTokens = [];
    private DeviceBuffer? rowBuffer, adjustmentBuffer, resultBuffer, topBuffer;
    private bool wantsTopTokens;

    public int Count => rows.Count;

    public void Clear()
    {
        rows.Clear();
        adjustments.Clear();
        wantsTopTokens = false;
    }

    public void Add(Sequence sequence)
    {
        SamplingOptions sampling = sequence.Request.Sampling;
        int start = adjustments.Count;
        if (sampling.AdjustsLogits)
        {
            AddAdjustments(sequence, sampling);
        }

        wantsTopTokens |= sequence.Request.TopTokens > 0;
        rows.Add(new HeadRow
        {
            Lambda = sequence.Request.Lambda,
            Temperature = sampling.Temperature,
            TopK = sampling.TopK,
            TopP = sampling.TopP,
            MinP = sampling.MinP,
            RepetitionPenalty = sampling.RepetitionPenalty,
            PresencePenalty = sampling.PresencePenalty,
            FrequencyPenalty = sampling.FrequencyPenalty,
            SeedLow = (uint)sampling.Seed,
            SeedHigh = (uint)(sampling.Seed >> 32),
            Stream = sampling.Stream,
            Position = sequence.Tokens.Count,
            AdjustmentStart = start,
            AdjustmentCount = adjustments.Count - start,
            TopTokens = sequence.Request.TopTokens,
        });
    }

    /// <summary>Copies the rows to the device. Not while operations are enqueued.</summary>
    public void Upload()
    {
        rowBuffer = Fit<HeadRow>(rowBuffer, rows.Count);
        adjustmentBuffer = Fit<TokenAdjustment>(adjustmentBuffer, adjustments.Count);
        resultBuffer = Fit<HeadResult>(resultBuffer, rows.Count);
        topBuffer = wantsTopTokens ? Fit<TopToken>(topBuffer, rows.Count * HeadLimits.MaxTopTokens) : topBuffer;
        kernels.Write<HeadRow>(rowBuffer, 0, CollectionsMarshal.AsSpan(rows));
        kernels.Write<TokenAdjustment>(adjustmentBuffer, 0, CollectionsMarshal.AsSpan(adjustments));
    }

    /// <summary>Enqueues the fused head over all rows.</summary>
    public void Enqueue(HeadModel? reference, HeadModel? aligned, int vocabulary, bool statistics) => kernels.RealignHead(
        reference, aligned, vocabulary, rowBuffer!, adjustmentBuffer!, statistics, resultBuffer!, wantsTopTokens ? topBuffer : null);

    /// <summary>Reads the results back after the step has run; they stay valid until the next read.</summary>
    public void Read()
    {
        Array.Resize(ref results, Math.Max(results.Length, rows.Count));
        kernels.Read(resultBuffer!, 0, results.AsSpan(0, rows.Count));
        if (wantsTopTokens)
        {
            Array.Resize(ref topTokens, Math.Max(topTokens.Length, rows.Count * HeadLimits.MaxTopTokens));
            kernels.Read(topBuffer!, 0, topTokens.AsSpan(0, rows.Count * HeadLimits.MaxTopTokens));
        }
    }

    /// <summary>The result of one row.</summary>
    public HeadResult Result(int row) => results[row];

    /// <summary>The most likely tokens of one row, as many as it asked for.</summary>
    public TopToken[] TopTokens(int row) =>
        rows[row].TopTokens == 0 ? [] : topTokens.AsSpan(row * HeadLimits.MaxTopTokens, results[row].TopCount).ToArray();

    public void Dispose()
    {
        rowBuffer?.Dispose();
        adjustmentBuffer?.Dispose();
        resultBuffer?.Dispose();
        topBuffer?.Dispose();
    }

    private void AddAdjustments(Sequence sequence, SamplingOptions sampling)
    {
        var byToken = new SortedDictionary<int, TokenAdjustment>();
        foreach ((int token, float bias) in sampling.LogitBias)
        {
            byToken[token] = new TokenAdjustment { TokenId = token, Bias = bias };
        }

        foreach (int token in sequence.Tokens)
        {
            byToken.TryGetValue(token, out TokenAdjustment adjustment);
            adjustment.TokenId = token;
            adjustment.InContext = 1;
            adjustment.OutputCount = sequence.OutputCounts.GetValueOrDefault(token);
            byToken[token] = adjustment;
        }

        adjustments.AddRange(byToken.Values);
    }

    private unsafe DeviceBuffer Fit<T>(DeviceBuffer? buffer, int count)
        where T : unmanaged
    {
        long needed = Math.Max(4096, (long)count * sizeof(T));
        if (buffer is not null && buffer.ByteLength >= needed)
        {
            return buffer;
        }

        buffer?.Dispose();
        return kernels.Allocate((long)BitOperations.RoundUpToPowerOf2((ulong)needed));
    }
}
