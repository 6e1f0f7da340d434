namespace DeRa.PairTrainer.Model;

/// <summary>Sequences of different lengths, one after another, without padding.</summary>
internal sealed class PackedBatch
{
    /// <summary>Packs the sequences.</summary>
    public PackedBatch(IReadOnlyList<int[]> sequences)
    {
        Tokens = [.. sequences.SelectMany(s => s)];
        Starts = new int[sequences.Count + 1];
        for (int s = 0; s < sequences.Count; s++)
            Starts[s + 1] = Starts[s] + sequences[s].Length;
        Positions = [.. sequences.SelectMany(s => Enumerable.Range(0, s.Length))];
    }

    /// <summary>[tokens] token ids.</summary>
    public int[] Tokens { get; }

    /// <summary>[tokens] position of each token in its sequence.</summary>
    public int[] Positions { get; }

    /// <summary>[sequences + 1] where each sequence starts; the last entry is the number of tokens.</summary>
    public int[] Starts { get; }

    /// <summary>How many sequences there are.</summary>
    public int SequenceCount => Starts.Length - 1;
}
