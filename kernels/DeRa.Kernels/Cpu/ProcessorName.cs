using System.Runtime.InteropServices;

namespace DeRa.Kernels.Cpu;

/// <summary>What people call the processor.</summary>
internal static class ProcessorName
{
    /// <summary>The name the system knows, else the architecture.</summary>
    public static string Read()
    {
        if (OperatingSystem.IsLinux() && File.Exists("/proc/cpuinfo"))
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
            {
                if (line.StartsWith("model name", StringComparison.Ordinal) && line.IndexOf(':') is var colon and > 0)
                {
                    return line[(colon + 1)..].Trim();
                }
            }
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? $"{RuntimeInformation.ProcessArchitecture} processor";
    }
}
