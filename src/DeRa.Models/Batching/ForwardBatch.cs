using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// Packs the chunks of many sequences into one step and uploads it once for both models. Reused from step to step:
/// <c>Clear</c>, <c>Add</c> per sequence, <c>Upload</c>. Buffers grow and are kept, so a warm step allocates no memory.
/// </summary>
/// <remarks>
/// Device layout: one integer buffer holding token ids, positions, slots, sequence indices, query starts, output rows and block tables one after
/// another, each aligned to 256 bytes as the contract asks.
/// </remarks>
public sealed class ForwardBatch : IDisposable
{
    // 256 bytes.
    private const int Alignment = 64;

    private readonly KernelSet kernels;
    private readonly List<int> tokenIds = [];       // [tokens]
    private readonly List<int> positions = [];      // [tokens]
    private readonly List<int> slots = [];          // [tokens]
    private readonly List<int> sequenceIndex = [];  // [tokens]
    private readonly List<int> queryStarts = [0];   // [sequences + 1]
    private readonly List<int> outputRows = [];     // [outputs]
    private readonly List<int> blocks = [];         // [sum of table lengths]
    private readonly List<int> tableStarts = [0];   // [sequences + 1]
    private readonly List<int> sequenceLengths = []; // [sequences]
    private int[] staging = [];
    private DeviceBuffer? buffer;
    private DeviceBatch? device;
    private IntVector outputVector;

    /// <summary>An empty batch for one kernel set.</summary>
    public ForwardBatch(KernelSet kernels)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        this.kernels = kernels;
    }

    /// <summary>Counts uploads, so that what is derived from a batch (rotation tables) knows when it is stale.</summary>
    public long Version { get; private set; }

    /// <summary>Tokens added since <see cref="Clear"/>.</summary>
    public int TokenCount => tokenIds.Count;

    /// <summary>Chunks added since <see cref="Clear"/>; each is a sequence of the batch.</summary>
    public int SequenceCount => sequenceLengths.Count;

    /// <summary>Hidden states asked for, in the order of the chunks and of the positions in each.</summary>
    public int OutputCount => outputRows.Count;

    /// <summary>The longest context: largest position + 1.</summary>
    public int MaxContext { get; private set; }

    /// <summary>The largest token id.</summary>
    public int MaxTokenId { get; private set; }

    /// <summary>[tokens] position of each token in its sequence.</summary>
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(positions);

    /// <summary>[sequences] total known length of each sequence, which fixes its rotary regime.</summary>
    public ReadOnlySpan<int> SequenceLengths => CollectionsMarshal.AsSpan(sequenceLengths);

    /// <summary>[sequences + 1] first token of each sequence.</summary>
    public ReadOnlySpan<int> QueryStarts => CollectionsMarshal.AsSpan(queryStarts);

    /// <summary>[outputs] tokens of the batch whose hidden states are asked for: ascending, or as <see cref="SelectOutputs"/> chose them.</summary>
    public ReadOnlySpan<int> OutputRows => CollectionsMarshal.AsSpan(outputRows);

    /// <summary>Whether the hidden states asked for are those of all tokens, in their order.</summary>
    public bool OutputsAreTokens
    {
        get
        {
            for (int i = 0; i < outputRows.Count; i++)
            {
                if (outputRows[i] != i) return false;
            }

            return outputRows.Count == TokenCount;
        }
    }

    /// <summary>The uploaded step.</summary>
    /// <exception cref="InvalidOperationException">Nothing has been uploaded since the last <see cref="Clear"/>.</exception>
    public DeviceBatch Device => device ?? throw new InvalidOperationException("the batch has not been uploaded");

    /// <summary>[outputs] the uploaded <see cref="OutputRows"/>; length 0 where nothing is asked for.</summary>
    public IntVector OutputVector => device is null ? throw new InvalidOperationException("the batch has not been uploaded") : outputVector;

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        tokenIds.Clear();
        positions.Clear();
        slots.Clear();
        sequenceIndex.Clear();
        outputRows.Clear();
        blocks.Clear();
        sequenceLengths.Clear();
        CollectionsMarshal.SetCount(queryStarts, 1);
        CollectionsMarshal.SetCount(tableStarts, 1);
        MaxContext = 0;
        MaxTokenId = 0;
        device = null;
    }

    /// <summary>Adds consecutive tokens of one sequence.</summary>
    /// <param name="tokens">The tokens, at positions <paramref name="start"/>, start + 1, …; at least one.</param>
    /// <param name="start">Position of the first token; everything before it is already in the cache.</param>
    /// <param name="blockTable">Cache blocks of the sequence in position order, enough for the chunk's last position.</param>
    /// <param name="sequenceLength">
    /// Total known length of the sequence, the chunk and everything after it included. Only the choice of rotary frequencies depends on it.
    /// </param>
    /// <param name="outputs">How many of the chunk's last tokens give a hidden state: 0, 1 to sample, all to score.</param>
    /// <exception cref="ArgumentException">A length or a token is out of range; the message says which.</exception>
    public void Add(ReadOnlySpan<int> tokens, int start, ReadOnlySpan<int> blockTable, int sequenceLength, int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(outputs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(outputs, tokens.Length);
        int end = checked(start + tokens.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequenceLength, end);
        int needed = KvCache.BlocksFor(end);
        if (blockTable.Length < needed)
            throw new ArgumentException($"block table: {needed} blocks needed for {end} positions, got {blockTable.Length}", nameof(blockTable));
        foreach (int token in tokens)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(token, nameof(tokens));
            MaxTokenId = Math.Max(MaxTokenId, token);
        }

        int sequence = SequenceCount;
        int firstRow = TokenCount;
        tokenIds.AddRange(tokens);
        for (int position = start; position < end; position++)
        {
            positions.Add(position);
            slots.Add((blockTable[position / KvCache.BlockSize] * KvCache.BlockSize) + (position % KvCache.BlockSize));
            sequenceIndex.Add(sequence);
        }

        for (int row = firstRow + tokens.Length - outputs; row < firstRow + tokens.Length; row++) outputRows.Add(row);
        blocks.AddRange(blockTable[..needed]);
        tableStarts.Add(blocks.Count);
        queryStarts.Add(TokenCount);
        sequenceLengths.Add(sequenceLength);
        MaxContext = Math.Max(MaxContext, end);
        device = null;
    }

    /// <summary>Asks for these tokens' hidden states in place of those that <see cref="Add"/> named: in any order, one token as often as wanted.</summary>
    /// <param name="rows">[outputs] tokens of the batch.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch does not have such a token.</exception>
    public void SelectOutputs(ReadOnlySpan<int> rows)
    {
        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rows));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, TokenCount, nameof(rows));
        }

        outputRows.Clear();
        outputRows.AddRange(rows);
        device = null;
    }

    /// <summary>Copies the batch to the device. Not while operations are enqueued.</summary>
    /// <exception cref="InvalidOperationException">The batch is empty.</exception>
    public DeviceBatch Upload()
    {
        if (SequenceCount == 0) throw new InvalidOperationException("an empty batch cannot be uploaded");
        int maxBlocks = KvCache.BlocksFor(MaxContext);
        int total = (4 * Aligned(TokenCount)) + Aligned(SequenceCount + 1) + Aligned(OutputCount) + Aligned(SequenceCount * maxBlocks);
        Reserve(total);

        int end = 0;
        IntVector ids = Stage(tokenIds, ref end);
        IntVector position = Stage(positions, ref end);
        IntVector slot = Stage(slots, ref end);
        IntVector sequence = Stage(sequenceIndex, ref end);
        IntVector starts = Stage(queryStarts, ref end);
        outputVector = Stage(outputRows, ref end);
        IntVector tables = StageTables(maxBlocks, ref end);
        kernels.Write<int>(buffer!, 0, staging.AsSpan(0, end));
        Version++;
        return device = new DeviceBatch(ids, position, slot, sequence, starts, tables, maxBlocks, MaxContext);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        buffer?.Dispose();
        buffer = null;
        device = null;
    }

    private static int Aligned(int count) => (count + Alignment - 1) / Alignment * Alignment;

    private void Reserve(int count)
    {
        if (buffer is not null && staging.Length >= count) return;
        int capacity = Math.Max(4096, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count));
        buffer?.Dispose();
        buffer = kernels.Allocate(4L * capacity);
        staging = new int[capacity];
    }

    private IntVector Stage(List<int> values, ref int end)
    {
        CollectionsMarshal.AsSpan(values).CopyTo(staging.AsSpan(end));
        var vector = new IntVector(buffer!, end, values.Count);
        end += Aligned(values.Count);
        return vector;
    }

    // [sequences, maxBlocks], rows padded with 0.
    private IntVector StageTables(int maxBlocks, ref int end)
    {
        Span<int> tables = staging.AsSpan(end, SequenceCount * maxBlocks);
        tables.Clear();
        ReadOnlySpan<int> all = CollectionsMarshal.AsSpan(blocks);
        for (int sequence = 0; sequence < SequenceCount; sequence++)
            all[tableStarts[sequence]..tableStarts[sequence + 1]].CopyTo(tables[(sequence * maxBlocks)..]);
        var vector = new IntVector(buffer!, end, tables.Length);
        end += Aligned(tables.Length);
        return vector;
    }
}
