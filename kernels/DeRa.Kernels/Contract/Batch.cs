namespace DeRa.Kernels;

/// <summary>
/// One packed step on the device: tokens of all sequences one after another, without padding. Uploaded once and read by both models.
/// A token attends to the positions 0 … its own of its own sequence, wherever in the paged cache they lie.
/// </summary>
/// <param name="TokenIds">[tokens] ids to embed.</param>
/// <param name="Positions">[tokens] position of the token in its sequence, from 0.</param>
/// <param name="SlotMapping">[tokens] cache slot (block · blockSize + offset) that receives the token's key and value.</param>
/// <param name="SequenceIndex">[tokens] row of <paramref name="BlockTables"/> that the token belongs to.</param>
/// <param name="QueryStarts">[sequences + 1] first token of each sequence in the batch; tokens of a sequence are consecutive.</param>
/// <param name="BlockTables">[sequences, MaxBlocks] cache blocks in position order; entries past the sequence's end are 0.</param>
/// <param name="MaxBlocks">Columns of <paramref name="BlockTables"/>.</param>
/// <param name="MaxContext">No less than the longest context (largest position + 1) in the batch; see <see cref="KernelSet.ContextClass"/>.</param>
public sealed record DeviceBatch(
    IntVector TokenIds,
    IntVector Positions,
    IntVector SlotMapping,
    IntVector SequenceIndex,
    IntVector QueryStarts,
    IntVector BlockTables,
    int MaxBlocks,
    int MaxContext)
{
    /// <summary>Tokens in the step.</summary>
    public int TokenCount => TokenIds.Length;

    /// <summary>Sequences in the step.</summary>
    public int SequenceCount => QueryStarts.Length - 1;
}
