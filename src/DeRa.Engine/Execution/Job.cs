using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Execution;

/// <summary>A request between its caller and the engine's thread.</summary>
internal abstract class Job
{
    private volatile bool cancelled;

    /// <summary>The request's tokens on their way through the scheduler.</summary>
    public abstract Sequence Sequence { get; }

    /// <summary>Set when nobody waits for the outcome any more; the engine then drops the sequence before its next step.</summary>
    public bool Cancelled => cancelled;

    public void Cancel() => cancelled = true;

    /// <summary>Ends the request with an exception, which its caller sees.</summary>
    public abstract void Fail(Exception exception);
}
