using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>NVIDIA's assembler: the file that DERA_PTXAS names, else on PATH (tools/get-ptxas.sh fetches one).</summary>
internal static class Ptxas
{
    private static readonly ConcurrentDictionary<string, string> Help = new();

    /// <summary>The assembler, or null without one.</summary>
    public static string? Find() => Environment.GetEnvironmentVariable("DERA_PTXAS") is { Length: > 0 } named
        ? File.Exists(named) ? named : throw new FileNotFoundException($"DERA_PTXAS names no file: {named}")
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "ptxas")).FirstOrDefault(File.Exists);

    /// <summary>Whether the assembler's version assembles for a target: its help lists those it does.</summary>
    public static bool Knows(string ptxas, string target) => Help.GetOrAdd(ptxas, static file =>
    {
        using Process process = Process.Start(new ProcessStartInfo(file, ["--help"]) { RedirectStandardOutput = true })!;
        return process.StandardOutput.ReadToEnd();
    }).Contains($"'{target}'", StringComparison.Ordinal);

    /// <summary>Assembles a kernel for a target.</summary>
    public static Assembled Assemble(string ptxas, string ptx, string target)
    {
        string source = Path.GetTempFileName(), cubin = source + ".cubin";
        try
        {
            File.WriteAllText(source, ptx);
            var start = new ProcessStartInfo(ptxas, [$"-arch={target}", "-v", "-o", cubin, source]) { RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string log = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return new Assembled(
                process.ExitCode == 0, Number(log, @"Used (\d+) registers"),
                Number(log, @"(\d+) bytes spill stores") + Number(log, @"(\d+) bytes spill loads"),
                Number(log, @"(\d+) bytes stack frame"), Number(log, @"(\d+) bytes smem"), log,
                process.ExitCode == 0 ? Disassemble(ptxas, cubin) : "");
        }
        finally
        {
            File.Delete(source);
            File.Delete(cubin);
        }
    }

    // cuobjdump lies beside the assembler and calls nvdisasm, which does too and may not be on PATH.
    private static string Disassemble(string ptxas, string cubin)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(ptxas))!;
        var start = new ProcessStartInfo(Path.Combine(folder, "cuobjdump"), ["-sass", cubin]) { RedirectStandardOutput = true };
        start.Environment["PATH"] = folder + Path.PathSeparator + start.Environment["PATH"];
        using Process process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd();
    }

    private static int Number(string text, string pattern) =>
        Regex.Match(text, pattern) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
}

/// <summary>What the assembler says of a kernel.</summary>
internal sealed record Assembled(bool Ok, int Registers, int SpillBytes, int StackBytes, int SharedBytes, string Log, string Sass);
