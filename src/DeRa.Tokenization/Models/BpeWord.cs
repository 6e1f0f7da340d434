namespace DeRa.Tokenization;

/// <summary>
/// The symbols of one word as a doubly linked list over arrays, and the merge loop: a heap of candidate merges ordered by (rank, position),
/// where outdated candidates are recognised when they surface. At most 3n candidates, so O(n log n).
/// </summary>
internal sealed class BpeWord(int capacity)
{
    private const int None = -1;

    private int[] ids = new int[capacity];
    private int count;
    private int[] next = [];

    public void Add(int id)
    {
        // Byte fallback makes up to four symbols of one UTF-16 unit.
        if (count == ids.Length)
            Array.Resize(ref ids, (2 * count) + 4);
        ids[count++] = id;
    }

    public void AppendTo(List<int> target)
    {
        for (int i = count > 0 ? 0 : None; i != None; i = next[i])
            target.Add(ids[i]);
    }

    public void MergeAll(BpeVocabulary vocabulary)
    {
        next = new int[count];
        int[] previous = new int[count];
        bool[] removed = new bool[count];
        // A candidate's priority is rank·2³² + position; its element is the merged id.
        List<(int Merged, long Priority)> candidates = new(count);
        for (int i = 0; i < count; i++)
        {
            next[i] = i + 1 < count ? i + 1 : None;
            previous[i] = i - 1;
            if (i + 1 < count && vocabulary.TryGetMerge(ids[i], ids[i + 1], out (int Rank, int Merged) merge))
                candidates.Add((merge.Merged, Priority(merge.Rank, i)));
        }

        PriorityQueue<int, long> queue = new(candidates);
        while (queue.TryDequeue(out int merged, out long priority))
        {
            int left = (int)(priority & uint.MaxValue);
            int right = removed[left] ? None : next[left];
            if (right == None || !vocabulary.TryGetMerge(ids[left], ids[right], out (int Rank, int Merged) current) || current.Merged != merged)
                continue;

            ids[left] = merged;
            removed[right] = true;
            next[left] = next[right];
            if (next[right] != None)
                previous[next[right]] = left;
            if (previous[left] != None)
                Enqueue(queue, vocabulary, previous[left], left);
            if (next[left] != None)
                Enqueue(queue, vocabulary, left, next[left]);
        }
    }

    private void Enqueue(PriorityQueue<int, long> queue, BpeVocabulary vocabulary, int left, int right)
    {
        if (vocabulary.TryGetMerge(ids[left], ids[right], out (int Rank, int Merged) merge))
            queue.Enqueue(merge.Merged, Priority(merge.Rank, left));
    }

    private static long Priority(int rank, int position) => ((long)rank << 32) | (uint)position;
}
