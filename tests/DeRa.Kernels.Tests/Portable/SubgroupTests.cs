using System.Diagnostics;
using System.Reflection;
using DeRa.Kernels.Portable;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime.OpenCL;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>
/// What devices with subgroups compile: the kernels' OpenCL C goes through an OpenCL front end for each of the extensions that may be there, and the
/// exchange of registers is in what comes out. No device here has them; the reduction without is what every other test runs.
/// </summary>
internal sealed class SubgroupTests
{
    private static readonly string[] Kernels =
    [
        $"{nameof(NormKernel)}_{nameof(NormKernel.Rms)}", "AttentionKernel_Run", "SoftmaxKernel_Run", $"HeadKernel_Run_{nameof(BFloat16Format)}",
    ];

    // Defined for a target that has everything; what is undefined again, and the call that is left.
    private static readonly (string[] Undefined, string? Call)[] Devices =
    [
        ([], "@_Z17sub_group_shuffle"),
        (["cl_khr_subgroup_shuffle"], "@_Z23intel_sub_group_shuffle"),
        (["cl_khr_subgroup_shuffle", "cl_intel_subgroups"], null),
    ];

    private static IEnumerable<TestCaseData> Cases =>
        from kernel in PortableKernels.All()
        where Kernels.Contains(kernel.Name)
        from device in Devices
        select new TestCaseData(kernel.Method, device.Undefined, device.Call)
            .SetArgDisplayNames(kernel.Name, device.Undefined.Length == 0 ? "all" : "without " + string.Join(" and ", device.Undefined));

    private DeviceContext? context;

    [OneTimeSetUp]
    public void Open() => context = OpenClDevice.Open(); // ILGPU writes OpenCL C for a device

    [OneTimeTearDown]
    public void Close() => context?.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Compile_to_an_exchange_of_registers(MethodInfo kernel, string[] undefined, string? call)
    {
        if (Clang() is not { } clang)
        {
            Absent.Skip("no clang (DERA_CLANG or PATH: clang, clang-15 … clang-20): OpenCL C for other devices is not compiled");
            return;
        }

        (int exit, string code, string log) = Compile(clang, Source(kernel), undefined);
        Assert.That(exit, Is.Zero, log);
        Assert.That(code, call is null ? Does.Not.Contain("sub_group_shuffle") : Does.Contain($"call spir_func float {call}"));
    }

    private static string? Clang() => Environment.GetEnvironmentVariable("DERA_CLANG") is { Length: > 0 } named
        ? File.Exists(named) ? named : throw new FileNotFoundException($"DERA_CLANG names no file: {named}")
        : (from name in (string[])["clang", .. Enumerable.Range(15, 6).Select(version => $"clang-{version}")]
           from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
           let path = Path.Combine(folder, name)
           where File.Exists(path)
           select path).FirstOrDefault();

    private static (int Exit, string Code, string Log) Compile(string clang, string source, string[] undefined)
    {
        string file = Path.GetTempFileName();
        try
        {
            // After the front end's header, which declares the functions of an extension where its macro is defined; only Intel's has to be named.
            File.WriteAllText(file, string.Concat(undefined.Select(macro => $"#undef {macro}\n")) + source);
            var start = new ProcessStartInfo(
                clang, ["-x", "cl", "-cl-std=CL3.0", "-target", "spir64", "-cl-no-stdinc", "-include", "opencl-c.h", "-Dcl_intel_subgroups", "-w", "-S", "-emit-llvm", "-o", "-", file])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process process = Process.Start(start)!;
            Task<string> log = process.StandardError.ReadToEndAsync();
            string code = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, code, log.Result);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private string Source(MethodInfo kernel)
    {
        var accelerator = (CLAccelerator)context!.Accelerator;
        using var backend = new CLBackend(accelerator.Context, accelerator.Capabilities, accelerator.Vendor, accelerator.CVersion);
        return ((CLCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).Source;
    }
}
