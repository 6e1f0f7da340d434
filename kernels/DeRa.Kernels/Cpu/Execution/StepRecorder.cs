using System.Runtime.InteropServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The step being recorded, in native memory that is kept from step to step: recording allocates nothing once it has grown to the size of the
/// largest step.
/// </summary>
/// <param name="workers">Workers that will run it.</param>
internal sealed unsafe class StepRecorder(int workers) : IDisposable
{
    private const int PageBytes = 64 * 1024;

    private readonly List<nint> pages = [];
    private readonly RowChain chain = new(workers);
    private int page = -1, pageUsed = PageBytes, capacity, streamed, chainStart;

    /// <summary>The list.</summary>
    public RecordedOperation* Operations { get; private set; }

    /// <summary>Operations in it.</summary>
    public int Count { get; private set; }

    /// <summary>Shared scratch memory that the step needs.</summary>
    public long SharedBytes { get; private set; }

    /// <summary>Scratch memory that each worker needs.</summary>
    public long PrivateBytes { get; private set; }

    /// <summary>Appends an operation and notes the scratch memory it will find in its <see cref="Worker"/>.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="sharedBytes">Of all workers together.</param>
    /// <param name="privateBytes">Of each worker.</param>
    /// <returns>Where the operation is kept until the step has run.</returns>
    public T* Add<T>(in T operation, long sharedBytes = 0, long privateBytes = 0)
        where T : unmanaged, IOperation<T>
    {
        chain.End();
        return Append(operation, sharedBytes, privateBytes);
    }

    /// <summary>Appends an operation that becomes part of a <see cref="RowChain"/> where that pays.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="sharedBytes">Of all workers together.</param>
    /// <param name="privateBytes">Of each worker.</param>
    public void AddRows<T>(in T operation, long sharedBytes = 0, long privateBytes = 0)
        where T : unmanaged, IRowOperation<T>
    {
        T* stored = Append(operation, sharedBytes, privateBytes);
        Span<RowBlock> blocks = stackalloc RowBlock[IRowOperation<T>.MaxBlocks];
        blocks = blocks[..T.Describe(stored, blocks)];
        RecordedOperation* last = Operations + Count - 1;
        last->Rows = T.CountRows(stored);
        last->RowsBody = &InvokeRows<T>;
        if (chain.TryAdd(blocks, last->Rows))
        {
            Operations[chainStart].Chained++;
        }
        else if (chain.Begin(blocks, last->Rows))
        {
            chainStart = Count - 1;
            last->Chained = 1;
        }
    }

    /// <summary>Whether the operation recorded last may read or write these columns too.</summary>
    public bool TryWiden(RowBlock block) => !chain.IsOpen || chain.TryAdd([block], Operations[Count - 1].Rows);

    /// <summary>The operation recorded last, if it is of this type: it may still be added to.</summary>
    public bool Last<T>(out T* operation)
        where T : unmanaged, IOperation<T>
    {
        bool found = Count > 0 && Operations[Count - 1].Type == typeof(T).TypeHandle.Value;
        operation = found ? (T*)Operations[Count - 1].Arguments : null;
        return found;
    }

    /// <summary>Starts the next step.</summary>
    public void Clear()
    {
        chain.End();
        Count = 0;
        streamed = 0;
        page = -1;
        pageUsed = PageBytes;
        SharedBytes = 0;
        PrivateBytes = 0;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (nint address in pages)
        {
            NativeMemory.AlignedFree((void*)address);
        }

        pages.Clear();
        NativeMemory.Free(Operations);
        Operations = null;
        capacity = 0;
        Clear();
    }

    private T* Append<T>(in T operation, long sharedBytes, long privateBytes)
        where T : unmanaged, IOperation<T>
    {
        if (Count == capacity)
        {
            int larger = Math.Max(256, 2 * capacity);
            Operations = (RecordedOperation*)NativeMemory.Realloc(Operations, (nuint)larger * (nuint)sizeof(RecordedOperation));
            capacity = larger;
        }

        var stored = (T*)Take(sizeof(T));
        *stored = operation;
        if (T.Streams)
        {
            for (; streamed < Count; streamed++)
            {
                Operations[streamed].NextStream = &Stream<T>;
                Operations[streamed].Next = stored;
            }
        }

        Operations[Count++] = new RecordedOperation { Body = &Invoke<T>, Arguments = stored, Type = typeof(T).TypeHandle.Value };
        SharedBytes = Math.Max(SharedBytes, sharedBytes);
        PrivateBytes = Math.Max(PrivateBytes, privateBytes);
        return stored;
    }

    private static void Invoke<T>(void* arguments, Worker* worker)
        where T : unmanaged, IOperation<T> => T.Run((T*)arguments, worker);

    private static void InvokeRows<T>(void* arguments, Worker* worker, int from, int to)
        where T : unmanaged, IRowOperation<T> => T.RunRows((T*)arguments, worker, from, to);

    private static void Stream<T>(void* arguments, int worker, int workers, out byte* from, out byte* to)
        where T : unmanaged, IOperation<T> => T.Stream((T*)arguments, worker, workers, out from, out to);

    private void* Take(int bytes)
    {
        if (pageUsed + bytes > PageBytes)
        {
            page++;
            pageUsed = 0;
            if (page == pages.Count)
            {
                pages.Add((nint)NativeMemory.AlignedAlloc(PageBytes, 64));
            }
        }

        void* address = (byte*)pages[page] + pageUsed;
        pageUsed += (bytes + 63) & ~63;
        return address;
    }
}
