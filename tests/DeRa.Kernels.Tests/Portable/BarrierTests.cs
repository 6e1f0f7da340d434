using System.Reflection;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime.OpenCL;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>
/// All work-items of a group reach every barrier of the form for GPUs in what ILGPU's optimiser leaves of the source: it copies code after an if into
/// both arms, barriers too.
/// </summary>
internal sealed class BarrierTests
{
    private static IEnumerable<TestCaseData> Kernels => PortableKernels.All().Select(k => new TestCaseData(k.Method).SetArgDisplayNames(k.Name));

    private DeviceContext? context;

    [OneTimeSetUp]
    public void Open() => context = OpenClDevice.Open(); // ILGPU writes OpenCL C for a device

    [OneTimeTearDown]
    public void Close() => context?.Dispose();

    [TestCaseSource(nameof(Kernels))]
    public void Is_reached_by_the_whole_group(MethodInfo kernel) => Assert.That(OpenClDivergence.DivergentBarriers(Source(kernel)), Is.Empty);

    [TestCaseSource(nameof(Kernels))]
    public void Orders_shared_and_device_memory(MethodInfo kernel) => Assert.That(
        Source(kernel).Split('\n').Where(line => line.Contains("barrier", StringComparison.Ordinal)),
        Has.All.Contains("CLK_LOCAL_MEM_FENCE").And.All.Contains("CLK_GLOBAL_MEM_FENCE"));

    // One sum step, first as written, then as ILGPU has been seen to leave it.
    [TestCase("goto L_3;", "", 0)]
    [TestCase("work_group_barrier(3);\n goto L_4;", "goto L_4;", 2)]
    public void Is_found_where_only_some_arrive(string endOfArm, string endOfOther, int divergent)
    {
        string source = $$"""
            kernel void Kernel_Run()
            {
            L_1: ;
            var1 = get_local_id ( 0 );
            var2 = (int) var1 < (int) var9;
            if (var2)
                goto L_2;
            goto L_3;
            L_2: ;
            var3 = & var4[var1];
            {{endOfArm}}
            L_3: ;
            work_group_barrier(3);
            {{endOfOther}}
            L_4: ;
            return ;
            }
            """;
        Assert.That(OpenClDivergence.DivergentBarriers(source), Has.Count.EqualTo(divergent));
    }

    private string Source(MethodInfo kernel)
    {
        var accelerator = (CLAccelerator)context!.Accelerator;
        using var backend = new CLBackend(accelerator.Context, accelerator.Capabilities, accelerator.Vendor, accelerator.CVersion);
        return ((CLCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).Source;
    }
}
