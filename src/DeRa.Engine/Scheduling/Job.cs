namespace DeRa.Engine.Scheduling;

/// <summary>Which models have to run.</summary>
[Flags]
internal enum ModelSet
{
    None = 0,
    Reference = 1,
    Aligned = 2,
    Both = Reference | Aligned,
}

/// <summary>A request between its caller and the engine's thread, as the scheduler sees it.</summary>
/// <param name="needs">The models its figures are made of; a matter of the request alone, so that they do not depend on what else runs.</param>
/// <param name="promptLength">Leading tokens of its sequence that it was given.</param>
internal abstract class Job(ModelSet needs, int promptLength)
{
    private volatile bool abandoned;

    public ModelSet Needs { get; } = needs;

    public int PromptLength { get; } = promptLength;

    /// <summary>Place in the order of arrival; given by the scheduler.</summary>
    public long Arrival { get; set; }

    /// <summary>The tokens it reads. Jobs with equal tokens share a sequence until they draw different ones.</summary>
    public Sequence Sequence { get; set; } = null!; // set before it reaches the scheduler

    /// <summary>The token it drew last.</summary>
    public int LastToken { get; protected set; }

    /// <summary>Whether it needs no further step.</summary>
    public bool Ended { get; protected set; }

    /// <summary>Whether nobody waits for the outcome any more.</summary>
    public bool IsAbandoned => abandoned;

    /// <summary>Says so; from any thread.</summary>
    public void Abandon() => abandoned = true;

    /// <summary>Ends the request with an exception, which its caller sees after what was drawn before.</summary>
    public abstract void Fail(Exception exception);

    /// <summary>Hands over what the last step gave it. Its caller then finds that step in the engine's statistics.</summary>
    public abstract void Publish();
}
