namespace DeRa.Kernels.Cuda;

/// <summary>
/// The recordings of the shapes seen lately. A shape's first step runs as plain launches, which compile kernels and allocate what the operations use
/// beside their callers' buffers; its second step is recorded.
/// </summary>
/// <param name="most">Shapes to remember; the one unused for longest makes room.</param>
internal sealed class RecordedSteps<TStep>(int most) : IDisposable
    where TStep : class, IDisposable
{
    private readonly Dictionary<object, Entry> byShape = [];
    private long uses;

    /// <summary>The recording of a shape; null where there is none yet.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="isKnown">Whether a step of the shape has run since anything was last forgotten.</param>
    public TStep? Find(object shape, out bool isKnown)
    {
        isKnown = byShape.TryGetValue(shape, out Entry? entry);
        if (entry is null)
        {
            return null;
        }

        entry.LastUse = ++uses;
        return entry.Step;
    }

    /// <summary>Keeps a shape after its first step, or its recording.</summary>
    public void Keep(object shape, TStep? step)
    {
        if (!byShape.TryGetValue(shape, out Entry? entry))
        {
            MakeRoom();
            byShape.Add(shape, entry = new Entry { LastUse = ++uses });
        }

        entry.Step = step;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (Entry entry in byShape.Values)
        {
            entry.Step?.Dispose();
        }

        byShape.Clear();
    }

    /// <inheritdoc />
    public void Dispose() => Clear();

    private void MakeRoom()
    {
        if (byShape.Count == most)
        {
            (object oldest, Entry entry) = byShape.MinBy(pair => pair.Value.LastUse);
            entry.Step?.Dispose();
            byShape.Remove(oldest);
        }
    }

    private sealed class Entry
    {
        public TStep? Step { get; set; }

        public long LastUse { get; set; }
    }
}
