using Microsoft.Extensions.Logging;

namespace DeRa.Engine.Execution;

/// <summary>What an engine logs.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Information, "{Choice}")]
    public static partial void DeviceChosen(this ILogger logger, string choice);

    [LoggerMessage(2, LogLevel.Information, "Loaded {Reference} and {Aligned} on {Device}: {Blocks} cache blocks of {BlockSize} positions, {Sequences} sequences and {Tokens} tokens a step")]
    public static partial void Loaded(this ILogger logger, string reference, string aligned, string device, int blocks, int blockSize, int sequences, int tokens);

    [LoggerMessage(3, LogLevel.Debug, "{Preempted} sequences gave their blocks back to make room; {Running} run, {Waiting} wait")]
    public static partial void Preempted(this ILogger logger, long preempted, int running, int waiting);

    [LoggerMessage(4, LogLevel.Error, "The engine stopped: {Requests} requests fail")]
    public static partial void Stopped(this ILogger logger, Exception exception, int requests);

    [LoggerMessage(6, LogLevel.Warning, "{Note}")]
    public static partial void Noted(this ILogger logger, string note);

    [LoggerMessage(5, LogLevel.Information, "Finished after {Steps} steps, {Tokens} tokens put out and {Scored} scored")]
    public static partial void Finished(this ILogger logger, long steps, long tokens, long scored);
}
