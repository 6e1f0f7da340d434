namespace DeRa.Engine.Tests;

/// <summary>An engine after its last request.</summary>
internal static class Idle
{
    /// <summary>
    /// Statistics once nothing runs, waits or holds blocks. Callers have their last token before the engine's own account of the step, and what was
    /// cancelled is dropped before the next step, which one more request brings about.
    /// </summary>
    /// <exception cref="TimeoutException">It does not come to rest: something is stuck.</exception>
    public static async Task<EngineStatistics> StatisticsAsync(RealignmentEngine engine)
    {
        await engine.CompleteAsync(new GenerationRequest { PromptTokens = [1], MaxTokens = 1 }).WaitAsync(TimeSpan.FromMinutes(2));
        for (int i = 0; i < 6000; i++)
        {
            if (engine.Statistics is { BlocksInUse: 0, Running: 0, Waiting: 0 } statistics)
            {
                return statistics;
            }

            await Task.Delay(10);
        }

        throw new TimeoutException($"still busy: {engine.Statistics}");
    }
}
