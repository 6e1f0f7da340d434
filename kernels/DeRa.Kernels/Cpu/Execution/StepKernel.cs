using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Frontend;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The one kernel of the set: every group (one per worker) walks the recorded list and meets the others after each operation. Needs all groups
/// to run at the same time: grid = number of multiprocessors, groups of one thread.
/// </summary>
internal static unsafe class StepKernel
{
    /// <summary>Entry point, compiled by ILGPU.</summary>
    public static void Run(long context) => Walk(context, Grid.IdxX, Grid.DimX);

    [External("deraStepWalk")] // runs as ordinary .NET code on the CPU accelerator
    private static int Walk(long context, int index, int count)
    {
        var step = (StepContext*)context;
        try
        {
            var worker = new Worker(step, index, count);
            for (int i = 0; i < step->Count; i++)
            {
                step->Operations[i].Body(step->Operations[i].Arguments, &worker);
                worker.Meet();
            }
        }
        catch (StepAbortedException)
        {
            // The worker that failed has reported why.
        }
#pragma warning disable CA1031 // whatever it is, it must reach the caller of Run instead of leaving the other workers at the barrier
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var failure = (StepFailure)GCHandle.FromIntPtr(step->Failure).Target!;
            Interlocked.CompareExchange(ref failure.First, exception, null);
            Volatile.Write(ref step->Failed, 1);
        }

        return count;
    }
}
