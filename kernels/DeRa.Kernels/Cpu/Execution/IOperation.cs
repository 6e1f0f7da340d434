namespace DeRa.Kernels.Cpu;

/// <summary>
/// A recorded operation: pointers and shapes, no references, so that a whole step is data that workers can walk. Every worker calls <see cref="Run"/>
/// and takes units of work until none are left; phases inside one operation are separated by <see cref="Worker.Meet"/>.
/// </summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
internal unsafe interface IOperation<TSelf>
    where TSelf : unmanaged, IOperation<TSelf>
{
    /// <summary>Does the worker's share. All workers make the same number of calls to <see cref="Worker.Meet"/>.</summary>
    static abstract void Run(TSelf* self, Worker* worker);

    /// <summary>Whether the operation reads weights from end to end, and so has something to say in <see cref="Stream"/>.</summary>
    static virtual bool Streams => false;

    /// <summary>What a worker will read first: workers that wait for an earlier operation bring its beginning nearer.</summary>
    static virtual void Stream(TSelf* self, int worker, int workers, out byte* from, out byte* to)
    {
        from = to = null;
    }
}

/// <summary>An operation that may also be run over some of its rows, in a <see cref="RowChain"/>.</summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
internal unsafe interface IRowOperation<TSelf> : IOperation<TSelf>
    where TSelf : unmanaged, IRowOperation<TSelf>
{
    /// <summary>Most blocks of an operation.</summary>
    const int MaxBlocks = 5;

    /// <summary>Rows of the operation.</summary>
    static abstract int CountRows(TSelf* self);

    /// <summary>What a row reads and writes of what other operations of a step write.</summary>
    /// <returns>Blocks written to <paramref name="blocks"/>.</returns>
    static abstract int Describe(TSelf* self, Span<RowBlock> blocks);

    /// <summary>Runs the rows from … to, as one worker alone.</summary>
    static abstract void RunRows(TSelf* self, Worker* worker, int from, int to);
}
