namespace DeRa.Kernels.Cuda;

/// <summary>A work-item's share of the sums of a <see cref="LinearTile"/>.</summary>
internal interface ITileSums
{
    /// <summary>Rows of a tile whose sums have room in the stages' shared memory at once.</summary>
    static abstract int StoredRows { get; }

    /// <summary>This work-item's first line in the tile.</summary>
    static abstract int FirstLine { get; }

    /// <summary>This work-item's first row in the tile.</summary>
    static abstract int FirstRow { get; }

    /// <summary>Gives out all elements; <paramref name="line"/> and <paramref name="row"/> are this work-item's first.</summary>
    void Give<TSink>(TSink sink, int line, int row)
        where TSink : struct, ISumsSink;
}

/// <summary>Where sums go.</summary>
internal interface ISumsSink
{
    /// <summary>Takes a lane's four elements: lines l and l + 8, rows r and r + 1.</summary>
    void Take(Sums sums, int line, int row);
}
