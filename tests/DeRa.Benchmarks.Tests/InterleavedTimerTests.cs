namespace DeRa.Benchmarks.Tests;

/// <summary>What is timed is warm.</summary>
internal sealed class InterleavedTimerTests
{
    /// <summary>A first run that compiles kernels may take longer than the whole warm-up; it is no measure of how many runs make a repeat.</summary>
    [Test]
    public void A_slow_first_run_is_not_all_of_the_warm_up()
    {
        const int Repeats = 5;
        int runs = 0, repeats = 0;
        Timing timing = InterleavedTimer.Measure([new TimedRun(Run, () => runs)], Repeats, () => repeats++, CancellationToken.None).Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(runs, Is.GreaterThan(2 * (Repeats + 2)));
            Assert.That(repeats, Is.EqualTo(Repeats));
            Assert.That(timing.Seconds, Has.Length.EqualTo(Repeats));
            Assert.That(timing.LaunchesPerRun, Is.EqualTo(1));
        }

        void Run() => Thread.Sleep(runs++ == 0 ? 600 : 0);
    }
}
