using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// Packs the chunks of many sequences into one step and uploads it once for both models, or once to each of their devices. Reused from step to step:
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

    private readonly KernelSet[] sets;
    private readonly DeviceBuffer?[] buffers; // [sets]
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
    private bool isUploaded;

    /// <summary>An empty batch.</summary>
    /// <param name="sets">The kernel sets that it is uploaded to: one, or one for each model of a pair on two devices.</param>
    public ForwardBatch(params IReadOnlyList<KernelSet> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        ArgumentOutOfRangeException.ThrowIfZero(sets.Count, nameof(sets));
        this.sets = [.. sets];
        buffers = new DeviceBuffer?[this.sets.Length];
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

    /// <summary>The uploaded step, on the first kernel set.</summary>
    /// <exception cref="InvalidOperationException">Nothing has been uploaded since the last change.</exception>
    public DeviceBatch Device => On(sets[0]).Tokens;

    /// <summary>[outputs] the uploaded <see cref="OutputRows"/>, on the first kernel set; length 0 where nothing is asked for.</summary>
    /// <exception cref="InvalidOperationException">Nothing has been uploaded since the last change.</exception>
    public IntVector OutputVector => On(sets[0]).Outputs;

    /// <summary>The uploaded step and <see cref="OutputRows"/> on one of the kernel sets.</summary>
    /// <exception cref="InvalidOperationException">Nothing has been uploaded since the last change.</exception>
    /// <exception cref="ArgumentException">The batch is not uploaded to this set.</exception>
    public (DeviceBatch Tokens, IntVector Outputs) On(KernelSet kernels)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        int set = Array.IndexOf(sets, kernels);
        if (set < 0) throw new ArgumentException($"the batch is for other kernel sets than {kernels.Device.Id}", nameof(kernels));
        if (!isUploaded || buffers[set] is not { } buffer) throw new InvalidOperationException("the batch has not been uploaded");
        var at = new Layout(this);
        return (
            new DeviceBatch(
                Part(at.TokenIds, TokenCount), Part(at.Positions, TokenCount), Part(at.Slots, TokenCount), Part(at.SequenceIndex, TokenCount),
                Part(at.QueryStarts, SequenceCount + 1), Part(at.BlockTables, SequenceCount * at.MaxBlocks), at.MaxBlocks, at.MaxContext),
            Part(at.OutputRows, OutputCount));

        IntVector Part(int offset, int count) => new(buffer, offset, count);
    }

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
        isUploaded = false;
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
        isUploaded = false;
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
        isUploaded = false;
    }

    /// <summary>Copies the batch to its devices. Not while operations are enqueued.</summary>
    /// <returns>The step on the first kernel set.</returns>
    /// <exception cref="InvalidOperationException">The batch is empty.</exception>
    public DeviceBatch Upload()
    {
        if (SequenceCount == 0) throw new InvalidOperationException("an empty batch cannot be uploaded");
        var at = new Layout(this);
        Reserve(at.Length);
        tokenIds.CopyTo(staging, at.TokenIds);
        positions.CopyTo(staging, at.Positions);
        slots.CopyTo(staging, at.Slots);
        sequenceIndex.CopyTo(staging, at.SequenceIndex);
        queryStarts.CopyTo(staging, at.QueryStarts);
        outputRows.CopyTo(staging, at.OutputRows);
        StageTables(staging.AsSpan(at.BlockTables, SequenceCount * at.MaxBlocks), at.MaxBlocks);
        for (int set = 0; set < sets.Length; set++) sets[set].Write<int>(buffers[set]!, 0, staging.AsSpan(0, at.Length));
        Version++;
        isUploaded = true;
        return Device;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        for (int set = 0; set < sets.Length; set++)
        {
            buffers[set]?.Dispose();
            buffers[set] = null;
        }

        isUploaded = false;
    }

    private void Reserve(int count)
    {
        if (buffers[^1] is not null && staging.Length >= count) return;
        int capacity = Math.Max(4096, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count));
        Dispose();
        for (int set = 0; set < sets.Length; set++) buffers[set] = sets[set].Allocate(4L * capacity);
        staging = new int[capacity];
    }

    // [sequences, maxBlocks], rows padded with 0.
    private void StageTables(Span<int> tables, int maxBlocks)
    {
        tables.Clear();
        ReadOnlySpan<int> all = CollectionsMarshal.AsSpan(blocks);
        for (int sequence = 0; sequence < SequenceCount; sequence++)
            all[tableStarts[sequence]..tableStarts[sequence + 1]].CopyTo(tables[(sequence * maxBlocks)..]);
    }

    // Where each list begins in the buffer, in integers.
    private readonly struct Layout
    {
        public readonly int TokenIds, Positions, Slots, SequenceIndex, QueryStarts, OutputRows, BlockTables, MaxContext, MaxBlocks, Length;

        public Layout(ForwardBatch batch)
        {
            MaxContext = batch.sets.Max(set => set.ContextClass(batch.MaxContext));
            MaxBlocks = KvCache.BlocksFor(MaxContext);
            int end = 0;
            TokenIds = Next(batch.TokenCount);
            Positions = Next(batch.TokenCount);
            Slots = Next(batch.TokenCount);
            SequenceIndex = Next(batch.TokenCount);
            QueryStarts = Next(batch.SequenceCount + 1);
            OutputRows = Next(batch.OutputCount);
            BlockTables = Next(batch.SequenceCount * MaxBlocks);
            Length = end;

            int Next(int count)
            {
                int start = end;
                end += (count + Alignment - 1) / Alignment * Alignment;
                return start;
            }
        }
    }
}
