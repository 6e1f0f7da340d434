using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>One group of the launch as an operation sees it: its number, its scratch memory and the barrier.</summary>
internal unsafe struct Worker
{
    /// <summary>This worker, from 0.</summary>
    public int Index;

    /// <summary>Workers in the launch.</summary>
    public int Count;

    /// <summary>Memory of this worker alone, of the size that the step's most demanding operation asked for; unspecified content.</summary>
    public byte* Private;

    /// <summary>Memory that all workers see, reused by every operation; unspecified content.</summary>
    public byte* Shared;

    private readonly StepContext* step;

    public Worker(StepContext* step, int index, int count)
    {
        this.step = step;
        Index = index;
        Count = count;
        Shared = step->Shared;
        Private = step->Private + index * step->PrivateStride;
    }

    /// <summary>
    /// Waits for all workers. The counter only grows and has 64 bits (32 would wrap within days), so there is no generation flag to reset:
    /// the last arrival of a round makes it a multiple of the number of workers.
    /// </summary>
    /// <exception cref="StepAbortedException">Another worker failed; waiting for it would take for ever.</exception>
    public readonly void Meet()
    {
        long mine = Interlocked.Increment(ref step->Arrivals);
        long target = (mine + Count - 1) / Count * Count;
        for (int spins = 0; Volatile.Read(ref step->Arrivals) < target; spins++)
        {
            if (Volatile.Read(ref step->Failed) != 0)
            {
                throw new StepAbortedException();
            }

            if (spins < 2000)
            {
                Thread.SpinWait(2);
            }
            else
            {
                Thread.Yield(); // a worker lost its core: let it have this one
            }
        }
    }

    /// <summary>The worker's contiguous share [from, to) of <paramref name="units"/> pieces of equal work.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Share(long units, out long from, out long to)
    {
        from = units * Index / Count;
        to = units * (Index + 1) / Count;
    }
}

/// <summary>Ends a worker whose step another worker has already failed.</summary>
internal sealed class StepAbortedException : Exception;
