using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Benchmarks;

/// <summary>Memory that is read to see how fast the processors read: a working set far larger than their caches, a part for every thread.</summary>
internal sealed unsafe class ReadMemory : IDisposable
{
    // Far enough ahead to cross the 4 KiB pages at which hardware prefetchers stop.
    private const long PrefetchAhead = 16 * 1024;

    private readonly int threads;
    private readonly long part;
    private byte* memory;

    /// <summary>Takes the memory.</summary>
    /// <param name="threads">Who reads.</param>
    /// <param name="workingSet">Bytes of all parts together.</param>
    public ReadMemory(int threads, long workingSet)
    {
        this.threads = threads;
        part = workingSet / threads / 512 * 512;
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, 4096);

        // Written by the threads that read it: untouched pages would all be one page of zeros.
        ProcessorCeilings.BestSeconds(threads, 1, thread => { NativeMemory.Fill(memory + (thread * part), (nuint)part, 1); return 0; });
    }

    /// <summary>Bytes taken.</summary>
    public long Bytes => part * threads;

    /// <summary>Bytes read per second: the best of so many times reading all of it with and without software prefetch.</summary>
    public double BytesPerSecond(int repeats)
    {
        double plain = ProcessorCeilings.BestSeconds(threads, repeats, thread => Sum(memory + (thread * part), part, 0));
        double prefetched = ProcessorCeilings.BestSeconds(threads, repeats, thread => Sum(memory + (thread * part), part, PrefetchAhead));
        return Bytes / Math.Min(plain, prefetched);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum(byte* data, long bytes, long ahead)
    {
        Vector256<long> a = default, b = default, c = default, d = default;
        for (byte* p = data, end = data + bytes; p < end; p += 128)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(p + ahead);
                Sse.Prefetch0(p + ahead + 64);
            }

            a += Vector256.Load((long*)p);
            b += Vector256.Load((long*)(p + 32));
            c += Vector256.Load((long*)(p + 64));
            d += Vector256.Load((long*)(p + 96));
        }

        return Vector256.Sum(a + b + c + d);
    }
}
