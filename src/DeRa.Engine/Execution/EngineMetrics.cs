using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace DeRa.Engine.Execution;

/// <summary>
/// The instruments of one engine, all on the meter <see cref="RealignmentEngine.MeterName"/>. What changes at every step is observed when somebody
/// looks; times are recorded as they pass.
/// </summary>
internal sealed class EngineMetrics : IDisposable
{
    private readonly Meter meter;
    private readonly Histogram<double> timeToFirstToken, timePerToken;

    /// <param name="factory">Makes the meter; null makes one of the process.</param>
    /// <param name="current">The engine's statistics.</param>
    public EngineMetrics(IMeterFactory? factory, Func<EngineStatistics> current)
    {
        meter = factory?.Create(RealignmentEngine.MeterName) ?? new Meter(RealignmentEngine.MeterName);
        Gauge("dera.engine.running", "{request}", "Samples and texts that take part in steps", s => s.Running);
        Gauge("dera.engine.waiting", "{request}", "Samples and texts that wait for room", s => s.Waiting);
        Gauge("dera.engine.cache.blocks", "{block}", "Cache blocks in each model's pool", s => s.Blocks);
        Gauge("dera.engine.cache.blocks.used", "{block}", "Cache blocks held by what runs", s => s.BlocksInUse);
        Gauge("dera.engine.cache.blocks.remembered", "{block}", "Free cache blocks whose content can still be found", s => s.BlocksRemembered);
        Counter("dera.engine.steps", "{step}", "Steps run", s => s.Steps);
        Counter("dera.engine.tokens.generated", "{token}", "Tokens put out", s => s.GeneratedTokens);
        Counter("dera.engine.tokens.scored", "{token}", "Positions scored", s => s.ScoredTokens);
        Counter("dera.engine.tokens.prefill.reference", "{token}", "Prompt tokens that the reference ran over", s => s.ReferencePrefillTokens);
        Counter("dera.engine.tokens.prefill.aligned", "{token}", "Prompt tokens that the aligned model ran over", s => s.AlignedPrefillTokens);
        Counter("dera.engine.tokens.prefix_hits", "{token}", "Tokens found in the cache, per model", s => s.PrefixHitTokens);
        Counter("dera.engine.preemptions", "{preemption}", "Times that a running sequence gave its blocks back", s => s.Preemptions);
        Counter("dera.engine.speculation.tokens", "{token}", "Tokens put out by speculative steps", s => s.Speculation.Tokens);
        Counter("dera.engine.speculation.passes", "{pass}", "Passes of one model over one sequence that they took", s => s.Speculation.Passes);
        Counter("dera.engine.speculation.drafts", "{draft}", "Drafts judged", s => s.Speculation.Drafted);
        Counter("dera.engine.speculation.accepted", "{draft}", "Drafts that stood", s => s.Speculation.Accepted);
        timeToFirstToken = meter.CreateHistogram<double>("dera.engine.time_to_first_token", "s", "From a request's arrival to its first token");
        timePerToken = meter.CreateHistogram<double>("dera.engine.time_per_output_token", "s", "Mean time between the tokens of a sample that ended");

        void Gauge(string name, string unit, string description, Func<EngineStatistics, int> value) =>
            meter.CreateObservableGauge(name, () => value(current()), unit, description);

        void Counter(string name, string unit, string description, Func<EngineStatistics, long> value) =>
            meter.CreateObservableCounter(name, () => value(current()), unit, description);
    }

    /// <summary>A sample drew its first token.</summary>
    /// <param name="arrived">Timestamp (<see cref="Stopwatch.GetTimestamp"/>) of its request.</param>
    public void FirstToken(long arrived) => timeToFirstToken.Record(Stopwatch.GetElapsedTime(arrived).TotalSeconds);

    /// <summary>A sample ended.</summary>
    /// <param name="first">Timestamp of its first token.</param>
    /// <param name="tokens">Tokens it drew.</param>
    public void Ended(long first, int tokens)
    {
        if (tokens > 1)
        {
            timePerToken.Record(Stopwatch.GetElapsedTime(first).TotalSeconds / (tokens - 1));
        }
    }

    public void Dispose() => meter.Dispose();
}
