namespace DeRa.Kernels.Cpu;

/// <summary>
/// A recorded operation: pointers and shapes, no references, so that a whole step is data that one launch can walk. Every worker calls
/// <see cref="Run"/> and takes its own share; phases inside one operation are separated by <see cref="Worker.Meet"/>.
/// </summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
internal unsafe interface IOperation<TSelf>
    where TSelf : unmanaged, IOperation<TSelf>
{
    /// <summary>Does the worker's share. All workers make the same number of calls to <see cref="Worker.Meet"/>.</summary>
    static abstract void Run(TSelf* self, Worker* worker);
}
