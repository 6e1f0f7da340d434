using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>
/// Every vector path of the Cpu set: the processor's own in this process, the narrower ones in child processes whose runtime reports fewer
/// instruction sets. Without AVX2 all vectors are pairs of Vector128, which is what Arm processors run.
/// </summary>
[TestFixture]
public sealed class VectorPathTests
{
    private const string ExpectedPath = "DERA_TEST_VECTOR_PATH";
    private const string Filter =
        "FullyQualifiedName~VectorPathTests.The_set_names|FullyQualifiedName~VectorMathTests|FullyQualifiedName~CpuHeadTests.Tokens" +
        "|FullyQualifiedName~CpuLinearTests.A_row|FullyQualifiedName~CpuLinearTests.Matches|FullyQualifiedName~CpuAttentionTests|FullyQualifiedName~CpuHeadTests.Scores";

    [Test]
    public void The_set_names_the_path_that_it_takes()
    {
        string expected = Environment.GetEnvironmentVariable(ExpectedPath)
            ?? (Vector512.IsHardwareAccelerated ? "AVX-512"
                : Avx2.IsSupported && Fma.IsSupported ? "AVX2 and FMA"
                : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "Advanced SIMD" : "portable vectors");
        using var set = new CpuKernelSet(1);
        Assert.That(set.Device.Detail, Is.EqualTo($"1 worker, {expected}"));
    }

    [TestCase("DOTNET_EnableAVX512", "AVX2 and FMA")]
    [TestCase("DOTNET_EnableAVX2", "portable vectors")]
    [TestCase("DOTNET_EnableHWIntrinsic", "portable vectors")]
    public void Passes_without(string instructions, string path)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !Avx2.IsSupported)
        {
            Assert.Ignore("instruction sets are switched off on x86-64 processors with AVX2 only");
        }

        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            ArgumentList = { "vstest", typeof(VectorPathTests).Assembly.Location, $"--TestCaseFilter:{Filter}" },
            Environment = { [instructions] = "0", [ExpectedPath] = path },
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
            Absent.Skip($"the dotnet command is not on the path: the run with {instructions}=0 cannot be started");
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
