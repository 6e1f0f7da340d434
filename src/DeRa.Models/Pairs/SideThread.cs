using System.Runtime.ExceptionServices;

namespace DeRa.Models;

/// <summary>A thread beside the caller's, for the work of the second device: one piece at a time, begun and awaited by the caller.</summary>
internal sealed class SideThread : IDisposable
{
    private readonly SemaphoreSlim begun = new(0), done = new(0);
    private readonly Thread thread;
    private Action? work;
    private ExceptionDispatchInfo? failure;

    public SideThread()
    {
        thread = new Thread(Serve) { IsBackground = true, Name = "DeRa second device" };
        thread.Start();
    }

    /// <summary>Begins a piece of work; <see cref="Wait"/> has to follow.</summary>
    public void Begin(Action piece)
    {
        work = piece;
        begun.Release();
    }

    /// <summary>Waits for the work begun, and throws what it threw.</summary>
    public void Wait()
    {
        done.Wait();
        ExceptionDispatchInfo? thrown = failure;
        failure = null;
        thrown?.Throw();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        work = null;
        begun.Release();
        thread.Join();
        begun.Dispose();
        done.Dispose();
    }

    private void Serve()
    {
        while (true)
        {
            begun.Wait();
            if (work is not { } piece) return;
            try
            {
                piece();
            }
#pragma warning disable CA1031 // whatever it is belongs to the caller, who waits
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }

            done.Release();
        }
    }
}
