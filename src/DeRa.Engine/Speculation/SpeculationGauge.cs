namespace DeRa.Engine.Speculation;

/// <summary>Counts what speculation does, for reports and for turning it off where drafts fall. Written by the engine's thread, read by any.</summary>
internal sealed class SpeculationGauge
{
    /// <summary>Drafts that the recent acceptance looks back on, about.</summary>
    private const double Memory = 32;

    /// <summary>Plain steps before speculation is tried again.</summary>
    private const int Pause = 64;

    private long tokens, passes, drafted, accepted;
    private double recent = 1;
    private int pausedSteps;

    public SpeculationStatistics Statistics => new(
        Interlocked.Read(ref tokens), Interlocked.Read(ref passes), Interlocked.Read(ref drafted), Interlocked.Read(ref accepted));

    /// <summary>Whether recent drafts stood often enough; asked once per step that could speculate. After a pause it is tried anew.</summary>
    public bool Pays(double minAcceptance)
    {
        if (pausedSteps == 0 && recent >= minAcceptance)
        {
            return true;
        }

        if (++pausedSteps > Pause)
        {
            (pausedSteps, recent) = (0, 1);
        }

        return false;
    }

    public void Count(int passes, int tokens, int drafted, int accepted)
    {
        Interlocked.Add(ref this.passes, passes);
        Interlocked.Add(ref this.tokens, tokens);
        Interlocked.Add(ref this.drafted, drafted);
        Interlocked.Add(ref this.accepted, accepted);
        for (int i = 0; i < drafted; i++)
        {
            recent += ((i < accepted ? 1 : 0) - recent) / Memory;
        }
    }
}
