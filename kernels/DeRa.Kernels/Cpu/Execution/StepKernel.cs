using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Frontend;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The one kernel of the set: launched once, one group for every helper, and resident until the set is disposed of. A helper waits for a step, walks its
/// list and waits again; the caller of Run walks the same list as worker 0.
/// </summary>
internal static unsafe class StepKernel
{
    /// <summary>Entry point, compiled by ILGPU.</summary>
    public static void Run(long context) => Serve(context, Grid.IdxX);

    /// <summary>Walks the open step as one of its workers; a failure is noted for the caller of Run.</summary>
    /// <returns>The phase after the last.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Walk(StepContext* step, int index)
    {
        var worker = new Worker(step, index);
        try
        {
            for (int i = 0; i < step->Count;)
            {
                RecordedOperation* operation = step->Operations + i;
                worker.Expect(operation);
                if (operation->Chained > 1)
                {
                    RunChain(operation, &worker);
                    i += operation->Chained;
                }
                else
                {
                    operation->Body(operation->Arguments, &worker);
                    i++;
                }

                worker.Meet();
            }
        }
        catch (StepAbortedException)
        {
            // The worker that failed has reported why.
        }
#pragma warning disable CA1031 // whatever it is, it must reach the caller of Run instead of leaving the other workers waiting
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Crew.Of(step).Note(exception);
            Volatile.Write(ref step->Failed, 1);
        }

        return worker.Phase;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunChain(RecordedOperation* first, Worker* worker)
    {
        int taken = RowChain.RowsTaken(first->Rows, worker->Count), units = (first->Rows + taken - 1) / taken;
        while (worker->Take(units, out long unit, out _, grain: 1))
        {
            int from = (int)unit * taken, to = Math.Min(from + taken, first->Rows);
            for (RecordedOperation* operation = first; operation < first + first->Chained; operation++)
            {
                operation->RowsBody(operation->Arguments, worker, from, to);
            }
        }
    }

    [External("deraHelper")] // runs as ordinary .NET code on the CPU accelerator
    private static int Serve(long context, int helper)
    {
        var step = (StepContext*)context;
        Crew crew = Crew.Of(step);
        long last = 0;
        while (crew.WaitForStep(last) is long number)
        {
            last = number;
            Interlocked.Increment(ref step->Inside);
            if (Volatile.Read(ref step->Open) == number)
            {
                Walk(step, helper + 1);
            }

            Interlocked.Decrement(ref step->Inside);
        }

        return helper;
    }
}
