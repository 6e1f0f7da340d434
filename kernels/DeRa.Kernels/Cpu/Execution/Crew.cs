using System.Diagnostics;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The workers of a set: the caller of <see cref="RunStep"/> and resident helpers on ILGPU's CPU accelerator. Between steps helpers watch for the next one
/// for a while, then sleep; a step does not wait for a helper that has not woken up yet.
/// </summary>
internal sealed unsafe class Crew : IDisposable
{
    private const int WatchMicroseconds = 300; // longer than a host needs between two decoding steps

    private readonly object sleep = new();
    private readonly Context? context;
    private readonly CPUAccelerator? accelerator;
    private readonly Thread? launcher;
    private readonly StepContext* step;
    private GCHandle self;
    private Exception? failure;
    private long steps;
    private int sleeping;

    /// <summary>Starts the helpers.</summary>
    /// <param name="workers">Workers, the caller among them.</param>
    /// <exception cref="DeviceException">The accelerator could not be made.</exception>
    public Crew(int workers)
    {
        self = GCHandle.Alloc(this);
        step = (StepContext*)NativeMemory.AlignedAlloc((nuint)sizeof(StepContext), 64);
        nuint progressBytes = (nuint)(1 + workers) * 64;
        var progress = (long*)NativeMemory.AlignedAlloc(progressBytes, 64);
        NativeMemory.Clear(progress, progressBytes);
        *step = new StepContext { Workers = workers, Progress = progress, Crew = GCHandle.ToIntPtr(self), FirstPhase = 1 };
        if (workers == 1)
        {
            return;
        }

        try
        {
            // A warp has at least two threads; groups of one thread are launched, one per multiprocessor.
            context = Context.Create(builder => builder.CPU(new CPUDevice(2, 1, workers - 1)));
            accelerator = context.CreateCPUAccelerator(0, CPUAcceleratorMode.Parallel);
            Action<KernelConfig, long> kernel = accelerator.LoadStreamKernel<long>(StepKernel.Run);
            launcher = new Thread(() => Launch(kernel, workers - 1)) { IsBackground = true, Name = "DeRa helpers" };
            launcher.Start();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Free();
            throw new DeviceException($"the CPU accelerator with {workers} workers could not be made", exception);
        }
    }

    /// <summary>The crew that a context belongs to.</summary>
    public static Crew Of(StepContext* step) => (Crew)GCHandle.FromIntPtr(step->Crew).Target!;

    /// <summary>Keeps the first exception of a step.</summary>
    public void Note(Exception exception) => Interlocked.CompareExchange(ref failure, exception, null);

    /// <summary>Runs a list of operations on all workers.</summary>
    /// <param name="operations">The list.</param>
    /// <param name="count">Operations in it.</param>
    /// <param name="shared">Scratch memory of all workers together.</param>
    /// <param name="scratch">Scratch memory of worker 0.</param>
    /// <param name="stride">Bytes between two workers' scratch memory.</param>
    /// <returns>The first exception of an operation, after which the rest did not run; null if all went well.</returns>
    public Exception? RunStep(RecordedOperation* operations, int count, byte* shared, byte* scratch, long stride)
    {
        step->Operations = operations;
        step->Count = count;
        step->Shared = shared;
        step->Private = scratch;
        step->PrivateStride = stride;
        Interlocked.Exchange(ref step->Open, ++steps); // a full fence: `sleeping` is read after it
        if (Volatile.Read(ref sleeping) > 0)
        {
            WakeAll();
        }

        long phase = StepKernel.Walk(step, 0);
        Interlocked.Exchange(ref step->Open, 0); // who has not come in by now stays out
        for (int spins = 0; Volatile.Read(ref step->Inside) > 0; spins++)
        {
            if (spins < 4000)
            {
                Thread.SpinWait(1);
            }
            else
            {
                Thread.Yield();
            }
        }

        // Behind a failed step lie phases that another worker may have begun.
        step->FirstPhase = step->Failed == 0 ? phase : phase + PhaseWord.MaxCount;
        step->Failed = 0;
        return Interlocked.Exchange(ref failure, null);
    }

    /// <summary>Called by helpers: waits for a step other than <paramref name="last"/>; null once the set is being disposed of.</summary>
    public long? WaitForStep(long last)
    {
        long watched = Stopwatch.GetTimestamp();
        while (true)
        {
            for (int i = 0; i < 64; i++)
            {
                if (IsCalled(last, out long? number))
                {
                    return number;
                }

                Thread.SpinWait(4);
            }

            Thread.Yield(); // whoever waits for this core has more to do than watch
            if (Stopwatch.GetElapsedTime(watched).TotalMicroseconds > WatchMicroseconds)
            {
                break;
            }
        }

        lock (sleep)
        {
            Interlocked.Increment(ref sleeping); // a full fence: `Open` is read after it
            try
            {
                while (true)
                {
                    if (IsCalled(last, out long? number))
                    {
                        return number;
                    }

                    Monitor.Wait(sleep);
                }
            }
            finally
            {
                Interlocked.Decrement(ref sleeping);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Volatile.Write(ref step->Closing, 1);
        WakeAll();
        launcher?.Join();
        Free();
    }

    private bool IsCalled(long last, out long? number)
    {
        if (Volatile.Read(ref step->Closing) != 0)
        {
            number = null;
            return true;
        }

        long open = Volatile.Read(ref step->Open);
        number = open;
        return open != 0 && open != last;
    }

    private void WakeAll()
    {
        lock (sleep)
        {
            Monitor.PulseAll(sleep);
        }
    }

    private void Launch(Action<KernelConfig, long> kernel, int helpers)
    {
        try
        {
            kernel(new KernelConfig(helpers, 1), (long)step);
            accelerator!.Synchronize();
        }
#pragma warning disable CA1031 // on a thread of its own nobody could catch it; the next step reports it
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Note(exception);
        }
    }

    private void Free()
    {
        accelerator?.Dispose();
        context?.Dispose();
        NativeMemory.AlignedFree(step->Progress);
        NativeMemory.AlignedFree(step);
        self.Free();
    }
}
