namespace DeRa.Kernels.Cuda;

/// <summary>
/// Named barriers of a group (bar.sync and bar.arrive with a count) in ILGPU's emulation, where every work-item is a thread. What goes wrong at them is kept until it
/// is asked for, and everybody is let through, because a thread of the emulation must neither wait for ever nor throw.
/// </summary>
internal static class EmulatedBarriers
{
    private const int Count = 16;

    private static readonly Barrier[] Barriers = [.. Enumerable.Range(0, Count).Select(_ => new Barrier())];
    private static string? failure;
    private static long completed;

    /// <summary>How long nobody may get any further while somebody waits.</summary>
    public static TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether something went wrong.</summary>
    public static bool HasFailed => Volatile.Read(ref failure) is not null;

    /// <summary>Arrives at a barrier that completes with <paramref name="count"/> arrivals, and goes on.</summary>
    public static void Arrive(int id, int count) => Pass(id, count, waits: false);

    /// <summary>Arrives and waits until the barrier is complete.</summary>
    public static void Wait(int id, int count) => Pass(id, count, waits: true);

    /// <summary>Notes what went wrong first, and lets everybody through.</summary>
    public static void Fail(string what)
    {
        Interlocked.CompareExchange(ref failure, what, null);
        foreach (Barrier barrier in Barriers)
        {
            lock (barrier)
            {
                Monitor.PulseAll(barrier);
            }
        }
    }

    /// <summary>What went wrong since the last call, arrivals that nobody waited for included; null if nothing. No group runs.</summary>
    public static string? Finish()
    {
        string? left = Barriers.Select((barrier, id) => barrier.Arrived == 0 ? null : $"barrier {id} is left with {barrier.Arrived} arrivals").FirstOrDefault(text => text is not null);
        string? found = failure ?? left;
        foreach (Barrier barrier in Barriers)
        {
            barrier.Arrived = 0;
        }

        failure = null;
        return found;
    }

    private static void Pass(int id, int count, bool waits)
    {
        Barrier barrier = Barriers[id];
        string? wrong = null;
        lock (barrier)
        {
            if (barrier.Arrived > 0 && barrier.Expected != count)
            {
                wrong = $"barrier {id} is met with counts of {barrier.Expected} and {count}";
            }

            barrier.Expected = count;
            long phase = barrier.Phase;
            if (++barrier.Arrived == count)
            {
                barrier.Arrived = 0;
                barrier.Phase++;
                Interlocked.Increment(ref completed);
                Monitor.PulseAll(barrier);
            }

            for (long seen = -1; waits && barrier.Phase == phase && wrong is null && !HasFailed;)
            {
                long now = Interlocked.Read(ref completed);
                if (now == seen)
                {
                    wrong = $"barrier {id} waits for {count - barrier.Arrived} of {count} arrivals that do not come";
                }

                seen = wrong is not null || Monitor.Wait(barrier, Patience) ? -1 : now;
            }
        }

        if (wrong is not null)
        {
            Fail(wrong);
        }
    }

    private sealed class Barrier
    {
        public int Arrived;
        public int Expected;
        public long Phase;
    }
}
