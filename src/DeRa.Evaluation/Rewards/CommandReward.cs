using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DeRa.Evaluation;

/// <summary>
/// A program of any language that judges responses: started once, fed one JSON object a line on its standard input, expected to answer each with one
/// line, in order, {"reward": number} or the bare number. Lines are written ahead of answers, so a program may judge them in batches.
/// </summary>
/// <remarks>The command runs through the system's shell. When the sweep ends or dies, its standard input ends, which is its sign to leave.</remarks>
public sealed class CommandReward : IReward
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly TimeSpan timeout;
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly ConcurrentQueue<string> complaints = new();
    private Process? process;
    private string? failure;

    /// <summary>A command line; the program starts with the first sample.</summary>
    /// <param name="command">What the shell runs.</param>
    /// <param name="timeout">Longest wait for one answer.</param>
    public CommandReward(string command, TimeSpan timeout)
    {
        Command = command;
        this.timeout = timeout;
    }

    /// <summary>What the shell runs.</summary>
    public string Command { get; }

    /// <inheritdoc />
    public string Name => "command:" + Command;

    /// <inheritdoc />
    public string? ContentHash => null;

    /// <inheritdoc />
    public async Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<RewardSample> samples, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(samples);
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Answers are told apart by their order alone, so after a failure nothing more can be asked of the program.
            if (failure is not null)
            {
                throw new RewardException(failure);
            }

            return await AskAsync(process ??= Start(), samples, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failure ??= exception is RewardException ? exception.Message : $"reward {Name}: an earlier call was interrupted";
            Kill();
            throw;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Ends the program: its input ends, and it is given a second to leave.</summary>
    public async ValueTask DisposeAsync()
    {
        await turn.WaitAsync().ConfigureAwait(false);
        if (process is { } running)
        {
            try
            {
                running.StandardInput.Close();
                using var second = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await running.WaitForExitAsync(second.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException)
            {
                // It is ended below.
            }

            Kill();
            running.Dispose();
        }

        turn.Dispose();
    }

    private async Task<double[]> AskAsync(Process running, IReadOnlyList<RewardSample> samples, CancellationToken cancellationToken)
    {
        Task writing = WriteAsync(running, samples);
        double[] rewards = new double[samples.Count];
        for (int i = 0; i < rewards.Length; i++)
        {
            string? line;
            try
            {
                line = await running.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw Failed(samples[i], string.Create(CultureInfo.InvariantCulture, $"no answer within {timeout.TotalSeconds} s"));
            }

            rewards[i] = line is null
                ? throw Failed(samples[i], await EndedAsync(running).ConfigureAwait(false))
                : Parse(line, samples[i]);
        }

        await writing.ConfigureAwait(false);
        return rewards;
    }

    /// <summary>Writes without heed of failures: a program that has gone shows at the reading end, with its exit code.</summary>
    private static async Task WriteAsync(Process running, IReadOnlyList<RewardSample> samples)
    {
        try
        {
            foreach (RewardSample sample in samples)
            {
                await running.StandardInput.WriteLineAsync(EvaluationJson.Line(new Question(sample))).ConfigureAwait(false);
            }

            await running.StandardInput.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // See above.
        }
    }

    private double Parse(string line, RewardSample sample)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out JsonElement error))
            {
                throw Failed(sample, $"it reports an error: {error}");
            }

            JsonElement value = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("reward", out JsonElement named) ? named : root;
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double reward) && double.IsFinite(reward))
            {
                return reward;
            }
        }
        catch (JsonException)
        {
            // Said below, with the line.
        }

        string shown = line.Length > 200 ? line[..200] + "…" : line;
        throw Failed(sample, $"expected a line {{\"reward\": number}} per response, found '{shown}'; a program's own messages belong on standard error");
    }

    private Process Start()
    {
        bool windows = OperatingSystem.IsWindows();
        var start = new ProcessStartInfo(windows ? "cmd.exe" : "/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = Utf8,
            StandardOutputEncoding = Utf8,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.ArgumentList.Add(windows ? "/c" : "-c");
        start.ArgumentList.Add(Command);
        try
        {
            Process started = Process.Start(start)!;
            started.ErrorDataReceived += (_, line) => Complain(line.Data);
            started.BeginErrorReadLine();
            return started;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new RewardException($"reward {Name}: the shell could not be started: {exception.Message}", exception);
        }
    }

    /// <summary>Keeps the last lines that the program wrote on standard error, for the message if it fails.</summary>
    private void Complain(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            complaints.Enqueue(line);
            while (complaints.Count > 3)
            {
                complaints.TryDequeue(out _);
            }
        }
    }

    private static async Task<string> EndedAsync(Process running)
    {
        try
        {
            using var moment = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await running.WaitForExitAsync(moment.Token).ConfigureAwait(false);
            return string.Create(CultureInfo.InvariantCulture, $"the program ended with exit code {running.ExitCode}");
        }
        catch (OperationCanceledException)
        {
            return "the program closed its standard output";
        }
    }

    private RewardException Failed(RewardSample sample, string what)
    {
        string said = complaints.IsEmpty ? "" : $" (standard error: {string.Join(" | ", complaints)})";
        return new RewardException(string.Create(CultureInfo.InvariantCulture, $"reward {Name}, prompt {sample.PromptId}, λ = {sample.Lambda}, sample {sample.Sample}: {what}{said}"));
    }

    private void Kill()
    {
        try
        {
            process?.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended already.
        }
    }

    /// <summary>What the program is told of a sample.</summary>
    private sealed record Question(
        string Id, string Prompt, JsonElement? Messages, string Response, IReadOnlyList<int> PromptTokens, IReadOnlyList<int> ResponseTokens, float Lambda, int Sample)
    {
        public Question(RewardSample sample)
            : this(sample.PromptId, sample.Prompt, sample.Messages, sample.Response, sample.PromptTokens, sample.ResponseTokens, sample.Lambda, sample.Sample)
        {
        }
    }
}
