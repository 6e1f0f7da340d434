namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Python's stable sort, which calls the order it sorts by at most n·log n times.</summary>
internal static class Sorting
{
    public static List<T> Sort<T>(RenderContext context, IReadOnlyList<T> items, Func<T, Value> key, bool reverse)
    {
        context.AllocateList(items.Count * 2L);
        var keyed = new (Value Key, T Item)[items.Count];
        for (int i = 0; i < keyed.Length; i++)
            keyed[i] = (key(items[i]), items[i]);
        MergeSort(context, keyed, new (Value, T)[keyed.Length], 0, keyed.Length, reverse);
        return [.. keyed.Select(pair => pair.Item)];
    }

    /// <summary>A merge sort of our own: the library's sorts are unstable or wrap what a comparison throws.</summary>
    private static void MergeSort<T>(RenderContext context, (Value Key, T Item)[] items, (Value Key, T Item)[] buffer, int from, int to, bool reverse)
    {
        if (to - from < 2)
            return;
        int middle = from + ((to - from) / 2);
        MergeSort(context, items, buffer, from, middle, reverse);
        MergeSort(context, items, buffer, middle, to, reverse);
        int left = from;
        int right = middle;
        for (int i = from; i < to; i++)
        {
            bool takeRight = left == middle || (right < to && Precedes(context, items[right].Key, items[left].Key, reverse));
            buffer[i] = takeRight ? items[right++] : items[left++];
        }
        Array.Copy(buffer, from, items, from, to - from);
    }

    private static bool Precedes(RenderContext context, Value candidate, Value other, bool reverse) =>
        reverse ? PythonOperators.Order(context, "<", other, candidate) : PythonOperators.Order(context, "<", candidate, other);
}
