namespace DeRa.Cli.CommandLine;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The work was understood and failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line or an input is wrong.</summary>
    public const int BadInput = 2;

    /// <summary>Interrupted by Ctrl-C, as shells number it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}
