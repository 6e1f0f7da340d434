using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace DeRa.Cli.Tests.Cuda;

/// <summary>Runs <c>dera</c>, each time in a process of its own, against a stub driver built from the C files beside this one.</summary>
internal sealed class StubDriver : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dera-stub-").FullName;

    private StubDriver()
    {
    }

    /// <summary>Builds the driver; without a C compiler the test is skipped by name, in CI it fails.</summary>
    /// <param name="hasGraphs">Whether the driver has graph functions.</param>
    public static StubDriver Build(bool hasGraphs = true)
    {
        var driver = new StubDriver();
        string sources = Path.Combine(RepositoryRoot.Path, "tests", "DeRa.Cli.Tests", "Cuda");
        string[] options = hasGraphs ? [] : ["-DWITHOUT_GRAPHS"];
        try
        {
            using Process compiler = Process.Start(
                "cc",
                [.. options, "-shared", "-fPIC", "-O1", "-w", "-o", driver.File("libcuda.so.1"), Path.Combine(sources, "libcuda.c"), Path.Combine(sources, "launches.c")]);
            compiler.WaitForExit();
            Assert.That(compiler.ExitCode, Is.Zero, "the stub driver does not compile");
        }
        catch (Win32Exception)
        {
            driver.Dispose();
            Absent.Skip("no C compiler (cc): the stub driver cannot be built");
        }

        return driver;
    }

    /// <summary>A path in the driver's folder, for what a command writes.</summary>
    public string File(string name) => Path.Combine(folder, name);

    public Outcome Run(params string[] arguments) => Run([], arguments);

    /// <summary>Runs a command with more in its environment: libcuda.c says what the driver heeds.</summary>
    public Outcome Run((string Name, string Value)[] environment, params string[] arguments)
    {
        string log = File("log.txt");
        System.IO.File.Delete(log);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LD_LIBRARY_PATH"] = folder, ["DERA_STUB_LOG"] = log },
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        start.ArgumentList.Add(typeof(CommandLine.DeraCommand).Assembly.Location);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, errors.Result, System.IO.File.Exists(log) ? System.IO.File.ReadAllLines(log) : []);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>What a command said and what the driver was told.</summary>
    internal sealed record Outcome(int ExitCode, string Output, string Error, string[] Log)
    {
        public JsonElement[] Lines =>
            [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

        /// <summary>Kernels launched by themselves.</summary>
        public string[] Launches => Of("launch");

        /// <summary>Every kernel that ran, by itself or in a graph: device, target, name, grid, group, shared memory, hash of the arguments, stream.</summary>
        public string[] Kernels => [.. Log.Where(line => line.StartsWith("launch ", StringComparison.Ordinal) || line.StartsWith("node ", StringComparison.Ordinal)).Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])];

        /// <summary>The lines of one kind.</summary>
        public string[] Of(string kind) => [.. Log.Where(line => line.StartsWith(kind + " ", StringComparison.Ordinal))];
    }
}
