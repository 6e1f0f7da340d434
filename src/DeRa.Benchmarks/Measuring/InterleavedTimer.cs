using System.Diagnostics;

namespace DeRa.Benchmarks;

/// <summary>Times of one way of a case.</summary>
/// <param name="Seconds">Seconds per run, one entry per repeat, in their order.</param>
/// <param name="LaunchesPerRun">Launches that a run issues to the device.</param>
internal sealed record Timing(double[] Seconds, long LaunchesPerRun)
{
    public double Median { get; } = Benchmarks.Median.Of(Seconds);

    public double Min { get; } = Seconds.Min();

    public double Max { get; } = Seconds.Max();
}

/// <summary>Something to time.</summary>
/// <param name="Run">Does it once.</param>
/// <param name="LaunchCount">Launches of its device so far.</param>
internal sealed record TimedRun(Action Run, Func<long> LaunchCount);

/// <summary>
/// Times several ways side by side: a repeat goes through all of them, the next one in the opposite order, so that a machine that gets slower or
/// faster does so for all alike. Each way first runs until it is warm; short runs are timed several at a time.
/// </summary>
internal static class InterleavedTimer
{
    /// <summary>Long enough for the just-in-time compiler to have replaced its first, slow code.</summary>
    private const double WarmUpSeconds = 0.5;

    /// <summary>Timed at least this long per repeat, thousands of times the clock's resolution.</summary>
    private const double RepeatSeconds = 0.02;

    /// <summary>A run so short feels what ran before it.</summary>
    private const double ShortSeconds = 0.2;

    /// <summary>Times every one <paramref name="repeats"/> times; in their order.</summary>
    /// <param name="variants">The ways.</param>
    /// <param name="repeats">How often.</param>
    /// <param name="beforeRepeat">Called before every repeat, not timed.</param>
    /// <param name="cancellation">Ends it between two runs.</param>
    public static Timing[] Measure(IReadOnlyList<TimedRun> variants, int repeats, Action beforeRepeat, CancellationToken cancellation)
    {
        double[] fastest = new double[variants.Count];
        int[] runs = new int[variants.Count];
        long[] launches = new long[variants.Count];
        for (int i = 0; i < variants.Count; i++)
        {
            fastest[i] = WarmUp(variants[i], cancellation);
            runs[i] = (int)Math.Clamp(Math.Ceiling(RepeatSeconds / fastest[i]), 1, 1_000_000);
            long before = variants[i].LaunchCount();
            variants[i].Run();
            launches[i] = variants[i].LaunchCount() - before;
        }

        double[][] seconds = [.. variants.Select(_ => new double[repeats])];
        for (int repeat = 0; repeat < repeats; repeat++)
        {
            beforeRepeat();
            int first = repeat % 2 == 0 ? 0 : variants.Count - 1;
            if (fastest[first] < ShortSeconds)
            {
                variants[first].Run(); // whatever came before the repeat has left the caches to itself and the workers asleep
            }

            for (int step = 0; step < variants.Count; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                int i = repeat % 2 == 0 ? step : variants.Count - 1 - step;
                long start = Stopwatch.GetTimestamp();
                for (int run = 0; run < runs[i]; run++)
                {
                    variants[i].Run();
                }

                seconds[i][repeat] = Stopwatch.GetElapsedTime(start).TotalSeconds / runs[i];
            }
        }

        return [.. seconds.Select((times, i) => new Timing(times, launches[i]))];
    }

    private static double WarmUp(TimedRun variant, CancellationToken cancellation)
    {
        // A device compiles its kernels in the first run, which may take longer than all of the warm-up.
        variant.Run();
        double fastest = double.PositiveInfinity;
        long begin = Stopwatch.GetTimestamp();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            variant.Run();
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < WarmUpSeconds);
        return fastest;
    }
}
