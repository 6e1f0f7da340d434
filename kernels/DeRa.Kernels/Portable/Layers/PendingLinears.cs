namespace DeRa.Kernels.Portable;

/// <summary>Projections of one x that wait for each other, so that one launch takes them all.</summary>
internal sealed class PendingLinears
{
    private readonly List<Projection> waiting = new(SerialLinearArgs.MostParts);

    /// <summary>What waits, in order.</summary>
    public IReadOnlyList<Projection> Waiting => waiting;

    /// <summary>
    /// Whether a projection can go with those that wait: of the same x and storage type, the same kind, and into memory of its own, so that their
    /// order does not matter.
    /// </summary>
    public bool Takes(Projection next) => waiting.Count == 0
        || (waiting.Count < SerialLinearArgs.MostParts && waiting.All(earlier =>
            earlier.X == next.X && earlier.W.DType == next.W.DType && earlier.W.InputMajor == next.W.InputMajor
            && !earlier.Accumulate && !next.Accumulate && AreApart(earlier.Y, next.Y)));

    /// <summary>Adds one that <see cref="Takes"/> allows.</summary>
    public void Add(Projection next) => waiting.Add(next);

    /// <summary>Nothing waits any more.</summary>
    public void Clear() => waiting.Clear();

    // Of one buffer: blocks of columns of the same rows that do not overlap.
    private static bool AreApart(Matrix a, Matrix b)
    {
        if (a.Buffer != b.Buffer)
        {
            return true;
        }

        (Matrix low, Matrix high) = a.Offset <= b.Offset ? (a, b) : (b, a);
        long apart = high.Offset - low.Offset;
        return low.RowStride == high.RowStride && apart >= low.Columns && apart + high.Columns <= low.RowStride;
    }

    /// <summary>One call of Linear.</summary>
    internal readonly record struct Projection(Matrix X, Weight W, Weight? Bias, Matrix Y, bool Accumulate);
}
