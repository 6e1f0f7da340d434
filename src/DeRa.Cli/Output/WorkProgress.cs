using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeRa.Cli.Output;

/// <summary>How far a long computation is, on standard error: a bar with rate and remaining time on a terminal, else a line now and then.</summary>
internal static class WorkProgress
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    /// <summary>Runs work and shows its progress.</summary>
    /// <param name="units">What is counted.</param>
    /// <param name="total">How many in all.</param>
    /// <param name="done">How many were done before.</param>
    /// <param name="work">Gets what to call with numbers of units done; from any thread.</param>
    public static async Task ShowAsync(string units, int total, int done, Func<Action<int>, Task> work)
    {
        if (done > 0)
        {
            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{done} of {total} {units} are there already"));
        }

        if (done == total)
        {
            await work(_ => { });
            return;
        }

        var clock = Stopwatch.StartNew();
        if (Console.IsErrorRedirected)
        {
            await WithLinesAsync(units, total, done, clock, work);
        }
        else
        {
            await WithBarAsync(units, total, done, clock, work);
        }
    }

    private static async Task WithBarAsync(string units, int total, int done, Stopwatch clock, Func<Action<int>, Task> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().AutoClear(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RateColumn(clock, done))
            .StartAsync(async context =>
            {
                ProgressTask task = context.AddTask(units, maxValue: total);
                task.Value = done;
                await work(count => task.Increment(count));
            });
    }

    private static async Task WithLinesAsync(string units, int total, int done, Stopwatch clock, Func<Action<int>, Task> work)
    {
        int drawn = 0;
        TextWriter error = Console.Error;
        using var timer = new Timer(_ => error.WriteLine(Line(units, total, done, Volatile.Read(ref drawn), clock.Elapsed)), null, BetweenLines, BetweenLines);
        await work(count => Interlocked.Add(ref drawn, count));
    }

    private static string Line(string units, int total, int done, int drawn, TimeSpan elapsed) =>
        string.Create(CultureInfo.InvariantCulture, $"{done + drawn} of {total} {units}, {Rate(drawn, total - done - drawn, elapsed)}");

    private static string Rate(double drawn, double left, TimeSpan elapsed)
    {
        if (drawn <= 0)
        {
            return "starting";
        }

        double rate = drawn / elapsed.TotalSeconds;
        TimeSpan remaining = TimeSpan.FromSeconds(Math.Min(left / rate, 1e8));
        string time = remaining.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)remaining.TotalHours} h {remaining.Minutes} min") : $"{remaining.Minutes} min {remaining.Seconds} s";
        return string.Create(CultureInfo.InvariantCulture, $"{rate:G3}/s, {time} left");
    }

    private sealed class RateColumn(Stopwatch clock, int done) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(Rate(task.Value - done, task.MaxValue - task.Value, clock.Elapsed), new Style(Color.Grey));
    }
}
