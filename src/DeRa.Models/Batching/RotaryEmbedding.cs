using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// Rotation tables of a batch: for every token the row cos(p·ω_i)·m, sin(p·ω_i)·m with the frequencies ω of its sequence's regime and the
/// attention factor m. Computed in float64 as transformers would with a full recompute, cached on the host by regime and position.
/// </summary>
/// <remarks>Source: transformers, modeling_rope_utils.py; RoFormer, arXiv 2104.09864.</remarks>
public sealed class RotaryEmbedding : IDisposable
{
    // Dynamic NTK has a regime per length: only the latest tables are worth keeping.
    private const int MaxRegimes = 4;

    private readonly RotaryFrequencies frequencies;
    private readonly int half;
    private readonly List<RegimeTable> tables = []; // least recently used first
    private float[] cosStaging = [];                // [tokens, half]
    private float[] sinStaging = [];
    private DeviceBuffer? cos;
    private DeviceBuffer? sin;
    private ForwardBatch? uploadedBatch;
    private long uploadedVersion;
    private RopeTable uploaded;

    /// <summary>Tables for one rotary configuration.</summary>
    public RotaryEmbedding(KernelSet kernels, RopeConfig config)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(config);
        Kernels = kernels;
        frequencies = new RotaryFrequencies(config);
        half = config.RotaryDim / 2;
    }

    /// <summary>Where the tables are uploaded to.</summary>
    public KernelSet Kernels { get; }

    /// <summary>The configuration computed from.</summary>
    public RopeConfig Config => frequencies.Config;

    /// <summary>A number that changes exactly when the frequencies of a sequence do as it grows.</summary>
    public int Regime(int sequenceLength) => frequencies.Regime(sequenceLength);

    /// <summary>
    /// The rotation table of an uploaded batch, [tokens, rotaryDim / 2] twice. Asked again for the same batch it returns the same table, so two
    /// models that rotate alike upload once. Not while operations are enqueued.
    /// </summary>
    public RopeTable Upload(ForwardBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (ReferenceEquals(batch, uploadedBatch) && batch.Version == uploadedVersion) return uploaded;

        int tokens = batch.TokenCount;
        Reserve(tokens);
        for (int sequence = 0; sequence < batch.SequenceCount; sequence++)
        {
            int first = batch.QueryStarts[sequence];
            ReadOnlySpan<int> positions = batch.Positions[first..batch.QueryStarts[sequence + 1]];
            RegimeTable table = TableFor(batch.SequenceLengths[sequence]);
            table.CopyRows(positions[0], positions.Length, cosStaging.AsSpan(first * half), sinStaging.AsSpan(first * half));
        }

        Kernels.Write<float>(cos!, 0, cosStaging.AsSpan(0, tokens * half));
        Kernels.Write<float>(sin!, 0, sinStaging.AsSpan(0, tokens * half));
        (uploadedBatch, uploadedVersion) = (batch, batch.Version);
        return uploaded = new RopeTable(Matrix.Dense(cos!, tokens, half), Matrix.Dense(sin!, tokens, half));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        cos?.Dispose();
        sin?.Dispose();
        cos = sin = null;
        uploadedBatch = null;
    }

    private void Reserve(int tokens)
    {
        if (cos is not null && cosStaging.Length >= tokens * half) return;
        int capacity = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, tokens)) * half;
        Dispose();
        cosStaging = new float[capacity];
        sinStaging = new float[capacity];
        cos = Kernels.Allocate((long)sizeof(float) * capacity);
        sin = Kernels.Allocate((long)sizeof(float) * capacity);
    }

    private RegimeTable TableFor(int sequenceLength)
    {
        int regime = frequencies.Regime(sequenceLength);
        int index = tables.FindIndex(t => t.Regime == regime);
        RegimeTable table = index >= 0
            ? tables[index]
            : new RegimeTable(regime, frequencies.InverseFrequencies(sequenceLength), frequencies.AttentionFactor(sequenceLength));
        if (index >= 0) tables.RemoveAt(index);
        else if (tables.Count == MaxRegimes) tables.RemoveAt(0);
        tables.Add(table);
        return table;
    }

    // Rows of positions 0, 1, … of one regime, computed as far as they were asked for.
    private sealed class RegimeTable(int regime, double[] inverseFrequencies, double attentionFactor)
    {
        private float[] cosRows = [];
        private float[] sinRows = [];
        private int rows;

        public int Regime => regime;

        public void CopyRows(int from, int count, Span<float> cosTarget, Span<float> sinTarget)
        {
            int half = inverseFrequencies.Length;
            Extend(from + count);
            cosRows.AsSpan(from * half, count * half).CopyTo(cosTarget);
            sinRows.AsSpan(from * half, count * half).CopyTo(sinTarget);
        }

        private void Extend(int count)
        {
            if (count <= rows) return;
            int half = inverseFrequencies.Length;
            int capacity = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(64, count));
            Array.Resize(ref cosRows, capacity * half);
            Array.Resize(ref sinRows, capacity * half);
            for (int position = rows; position < count; position++)
            {
                for (int i = 0; i < half; i++)
                {
                    (double s, double c) = Math.SinCos(position * inverseFrequencies[i]);
                    cosRows[(position * half) + i] = (float)(c * attentionFactor);
                    sinRows[(position * half) + i] = (float)(s * attentionFactor);
                }
            }

            rows = count;
        }
    }
}
