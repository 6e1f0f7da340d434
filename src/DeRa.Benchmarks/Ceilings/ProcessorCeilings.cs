using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Benchmarks;

/// <summary>
/// Read bandwidth and FMA rate of the processors that this process may use. A ceiling is the best of its repeats: whatever disturbs a repeat
/// makes it slower, never faster.
/// </summary>
internal static class ProcessorCeilings
{
    /// <summary>Larger than the last-level cache of the largest processors that are sold.</summary>
    public const long LargestWorkingSetBytes = 1L << 30;

    /// <summary>That, or an eighth of the memory that the process may use: it is held while a case is timed, beside the weights.</summary>
    public static long WorkingSetBytes { get; } = Math.Min(LargestWorkingSetBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);

    private const int Accumulators = 12; // latency 4–5 times 2 units, and they fit 16 registers beside two operands
    private const int FmaRounds = 4_000_000;

    /// <summary>Bytes read per second, every thread in a part of its own, with and without software prefetch: the better of the two.</summary>
    public static double ReadBytesPerSecond(int threads, long workingSet, int repeats)
    {
        using var memory = new ReadMemory(threads, workingSet);
        return memory.BytesPerSecond(repeats);
    }

    /// <summary>Float32 operations per second, a multiply-add counted as two; the widest vectors that pay.</summary>
    public static double FlopsPerSecond(int threads, int repeats, int rounds = FmaRounds)
    {
        double operations = 2.0 * Accumulators * rounds * threads;
        double best = operations * Vector<float>.Count / BestSeconds(threads, repeats, _ => MultiplyAdd(rounds));
        return Vector512.IsHardwareAccelerated
            ? Math.Max(best, operations * Vector512<float>.Count / BestSeconds(threads, repeats, _ => MultiplyAdd512(rounds)))
            : best;
    }

    /// <summary>Fastest of some repeats, all threads together. The work returns a number so that nothing of it can be left out.</summary>
    internal static double BestSeconds(int threads, int repeats, Func<int, double> work)
    {
        double best = double.PositiveInfinity;
        double[] results = new double[threads];
        using var barrier = new Barrier(threads);
        long start = 0;
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (int repeat = 0; repeat < repeats; repeat++)
            {
                barrier.SignalAndWait();
                if (thread == 0) start = Stopwatch.GetTimestamp();
                results[thread] += work(thread);
                barrier.SignalAndWait();
                if (thread == 0) best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }) { IsBackground = true })];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        GC.KeepAlive(results);
        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdd(int rounds)
    {
        // x ← 0.5·x + 0.5 stays at 1: no denormals, no overflow.
        var half = new Vector<float>(0.5f);
        Vector<float> a = Vector<float>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (int round = 0; round < rounds; round++)
        {
            a = Vector.FusedMultiplyAdd(a, half, half);
            b = Vector.FusedMultiplyAdd(b, half, half);
            c = Vector.FusedMultiplyAdd(c, half, half);
            d = Vector.FusedMultiplyAdd(d, half, half);
            e = Vector.FusedMultiplyAdd(e, half, half);
            f = Vector.FusedMultiplyAdd(f, half, half);
            g = Vector.FusedMultiplyAdd(g, half, half);
            h = Vector.FusedMultiplyAdd(h, half, half);
            i = Vector.FusedMultiplyAdd(i, half, half);
            j = Vector.FusedMultiplyAdd(j, half, half);
            k = Vector.FusedMultiplyAdd(k, half, half);
            l = Vector.FusedMultiplyAdd(l, half, half);
        }

        return Vector.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdd512(int rounds)
    {
        Vector512<float> half = Vector512.Create(0.5f);
        Vector512<float> a = Vector512<float>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (int round = 0; round < rounds; round++)
        {
            a = Vector512.FusedMultiplyAdd(a, half, half);
            b = Vector512.FusedMultiplyAdd(b, half, half);
            c = Vector512.FusedMultiplyAdd(c, half, half);
            d = Vector512.FusedMultiplyAdd(d, half, half);
            e = Vector512.FusedMultiplyAdd(e, half, half);
            f = Vector512.FusedMultiplyAdd(f, half, half);
            g = Vector512.FusedMultiplyAdd(g, half, half);
            h = Vector512.FusedMultiplyAdd(h, half, half);
            i = Vector512.FusedMultiplyAdd(i, half, half);
            j = Vector512.FusedMultiplyAdd(j, half, half);
            k = Vector512.FusedMultiplyAdd(k, half, half);
            l = Vector512.FusedMultiplyAdd(l, half, half);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
