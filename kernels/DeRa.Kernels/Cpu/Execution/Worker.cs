using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// One worker as an operation sees it: its scratch memory, the units of work it takes, and the meeting after them. An operation is a row of phases.
/// In a phase every worker calls <see cref="Take"/> until nothing is left, then <see cref="Meet"/>. Units are shared out in contiguous runs, and who has
/// finished its own helps the others, so a phase ends when its units are done and does not wait for a worker that lost its core before it took one:
/// such a worker finds the later phases done when it comes back. Who does a unit must not show in the result.
/// </summary>
internal unsafe struct Worker
{
    private const int WordStride = 8; // longs: a cache line
    private const int HelpDelay = 100; // pauses: about 2 µs
    private const long PrefetchBytes = 128 * 1024; // a part of any second-level cache

    /// <summary>This worker, from 0; 0 is the caller of Run.</summary>
    public readonly int Index;

    /// <summary>Workers of the set.</summary>
    public readonly int Count;

    /// <summary>Memory of this worker alone, of the size that the step's most demanding operation asked for; unspecified content.</summary>
    public readonly byte* Private;

    /// <summary>Memory that all workers see, reused by every operation; unspecified content.</summary>
    public readonly byte* Shared;

    private readonly StepContext* step;
    private long phase;
    private int units, finished, victim;
    private byte* upcoming, upcomingEnd;

    public Worker(StepContext* step, int index)
    {
        this.step = step;
        Index = index;
        Count = step->Workers;
        Shared = step->Shared;
        Private = step->Private + index * step->PrivateStride;
        phase = step->FirstPhase;
        victim = index;
    }

    /// <summary>Number of the phase that the worker is in, counted since the set was made: two operations never see the same.</summary>
    public readonly long Phase => phase;

    /// <summary>First of <paramref name="pieces"/> pieces that belong to a worker; worker 0 has the first even of a single one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ShareStart(long pieces, int worker, int workers) => (pieces * worker + workers - 1) / workers;

    /// <summary>
    /// Takes a run [from, to) of the phase's units, from its own share while there are any. Every call within a phase must name the same number.
    /// </summary>
    /// <param name="total">Units of the phase.</param>
    /// <param name="from">First unit of the run.</param>
    /// <param name="to">End of the run.</param>
    /// <param name="grain">Units per run; 0 gives every worker about four runs.</param>
    /// <returns>False once none are left.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Take(long total, out long from, out long to, int grain = 0)
    {
        units = checked((int)total);
        long run = grain > 0 ? grain : Math.Max(1, total / (4L * Count));
        run = Math.Max(run, total / PhaseWord.MaxCount + 1);
        long runs = (total + run - 1) / run;
        units = (int)runs;
        for (int tried = 0; tried < Count;)
        {
            if (tried == 1 && runs <= Count && OthersAreDoneSoon())
            {
                break;
            }

            long first = ShareStart(runs, victim, Count), count = ShareStart(runs, victim + 1, Count) - first;
            if (count == 0)
            {
                victim = victim + 1 == Count ? 0 : victim + 1;
                tried++;
                continue;
            }

            long* word = step->Progress + (1 + victim) * WordStride;
            long seen = Volatile.Read(ref *word);
            if (PhaseWord.IsPast(seen, phase))
            {
                break;
            }

            int taken = PhaseWord.Count(seen, phase);
            if (taken >= count)
            {
                victim = victim + 1 == Count ? 0 : victim + 1;
                tried++;
            }
            else if (Interlocked.CompareExchange(ref *word, PhaseWord.Make(phase, taken + 1), seen) == seen)
            {
                finished++; // counts once the caller comes back for more or meets the others
                from = (first + taken) * run;
                to = Math.Min(from + run, total);
                return true;
            }
        }

        from = to = 0;
        return false;
    }

    /// <summary>Waits until all units of the phase are done and goes on to the next. Meanwhile it brings weights that come next nearer.</summary>
    /// <exception cref="StepAbortedException">Another worker failed; waiting for it would take for ever.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Meet()
    {
        if (finished > 0)
        {
            Report();
        }

        for (int spins = 0; !IsPhaseDone(); spins++)
        {
            if (Volatile.Read(ref step->Failed) != 0)
            {
                throw new StepAbortedException();
            }

            if (upcoming < upcomingEnd)
            {
                PrefetchUpcoming();
            }
            else if (spins < 4000)
            {
                Pause();
            }
            else
            {
                Thread.Yield(); // a worker lost its core in the middle of a unit: let it have this one
            }
        }

        phase++;
        units = 0;
        finished = 0;
        victim = Index;
    }

    /// <summary>Looks up which weights come after an operation.</summary>
    public void Expect(RecordedOperation* operation)
    {
        upcoming = upcomingEnd = null;
        if (operation->NextStream != null)
        {
            operation->NextStream(operation->Next, Index, Count, out upcoming, out upcomingEnd);
            upcomingEnd = upcoming + Math.Min(upcomingEnd - upcoming, PrefetchBytes);
        }
    }

    /// <summary>
    /// In a phase with a run or none for each worker the owners are most likely at it. Waiting a little instead of looking at their words keeps those
    /// in their caches: 0.3 µs a phase instead of 0.65 (2 workers).
    /// </summary>
    private readonly bool OthersAreDoneSoon()
    {
        if (finished == units)
        {
            return true;
        }

        for (int i = 0; i < HelpDelay; i++)
        {
            if (IsPhaseDone())
            {
                return true;
            }

            Pause();
        }

        return false;
    }

    private readonly void Report()
    {
        ref long done = ref *step->Progress;
        while (true)
        {
            long seen = Volatile.Read(ref done);
            long reported = PhaseWord.Make(phase, PhaseWord.Count(seen, phase) + finished);
            if (Interlocked.CompareExchange(ref done, reported, seen) == seen)
            {
                return;
            }
        }
    }

    private readonly bool IsPhaseDone()
    {
        long seen = Volatile.Read(ref *step->Progress);
        return PhaseWord.IsPast(seen, phase) || PhaseWord.Count(seen, phase) == units;
    }

    private static void Pause()
    {
        if (X86Base.IsSupported)
        {
            X86Base.Pause(); // Thread.SpinWait rounds up to several of these
        }
        else
        {
            Thread.SpinWait(1);
        }
    }

    private void PrefetchUpcoming()
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(upcoming);
            Sse.Prefetch1(upcoming + 64);
        }

        upcoming += 128;
    }
}

/// <summary>Ends a worker whose step another worker has already failed.</summary>
internal sealed class StepAbortedException : Exception;
