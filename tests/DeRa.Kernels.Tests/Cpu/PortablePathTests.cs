using System.ComponentModel;
using System.Diagnostics;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>The same tests on a runtime that reports no AVX2 and no FMA, as older x86 processors do.</summary>
[TestFixture]
public sealed class PortablePathTests
{
    private const string Filter =
        "FullyQualifiedName~VectorMathTests|FullyQualifiedName~CpuHeadTests.Tokens|FullyQualifiedName~CpuLinearTests.A_row|FullyQualifiedName~CpuAttentionTests";

    [Test]
    public void Passes_without_avx2()
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            ArgumentList = { "vstest", typeof(PortablePathTests).Assembly.Location, $"--TestCaseFilter:{Filter}" },
            Environment = { ["DOTNET_EnableAVX2"] = "0" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process? process = null;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Ignore("the dotnet command is not on the path: the run without AVX2 cannot be started");
        }

        using (process)
        {
            Task<string> errors = process!.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, output + errors.Result);
            Assert.That(output, Does.Contain("Passed!"), output);
        }
    }
}
