namespace DeRa.Cli.CommandLine;

/// <summary>The demo pair that lies beside the executable.</summary>
internal static class BundledPair
{
    public static string Reference => Path.Combine(AppContext.BaseDirectory, "weights", "reference");

    public static string Aligned => Path.Combine(AppContext.BaseDirectory, "weights", "aligned");
}
