using System.Reflection;
using DeRa.Kernels.Portable;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>Every kernel compiles to PTX without a GPU and, where ptxas is found, assembles for sm_80 without spilling registers.</summary>
internal sealed class PtxTests
{
    private const string Target = "sm_80";
    private Context? context;
    private PTXBackend? backend;

    private static IEnumerable<TestCaseData> Kernels => PortableKernels.All().Select(k => new TestCaseData(k.Method).SetArgDisplayNames(k.Name));

    [OneTimeSetUp]
    public void Open()
    {
        context = DeviceContext.CreateContext(builder => DeviceContext.InlineEverything(builder.CPU()));
        backend = new PTXBackend(context, CudaArchitecture.SM_80, new CudaInstructionSet(8, 0), nvvmAPI: null!);
    }

    [OneTimeTearDown]
    public void Close()
    {
        backend?.Dispose();
        context?.Dispose();
    }

    [TestCaseSource(nameof(Kernels))]
    public void Compiles_and_assembles_without_spills(MethodInfo kernel)
    {
        var compiled = (PTXCompiledKernel)backend!.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(kernel), new KernelSpecialization(Team.Size, 1));
        Assert.That(compiled.PTXAssembly, Does.Contain($".target {Target}"));
        if (Ptxas.Find() is not { } ptxas)
        {
            Absent.Skip("compiled to PTX; not assembled: no ptxas (DERA_PTXAS or PATH; tools/get-ptxas.sh fetches one)");
            return;
        }

        Assembled assembled = Ptxas.Assemble(ptxas, compiled.PTXAssembly, Target);
        TestContext.Out.WriteLine($"{assembled.Registers} registers, {assembled.StackBytes} bytes stack, {assembled.SharedBytes} bytes shared");
        Assert.That(assembled.Ok, Is.True, assembled.Log);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(assembled.SpillBytes, Is.Zero, assembled.Log);
            Assert.That(assembled.StackBytes, Is.Zero, assembled.Log);
            Assert.That(assembled.SharedBytes, Is.LessThanOrEqualTo(48 << 10), "static shared memory of a CUDA kernel");
        }
    }

    [Test]
    public void Every_projection_reads_aligned_weights_sixteen_bytes_at_a_time()
    {
        MethodInfo linear = PortableKernels.All().Single(k => k.Name == $"LinearKernel_Run_{nameof(BFloat16Format)}").Method;
        var compiled = (PTXCompiledKernel)backend!.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(linear), new KernelSpecialization(Team.Size, 1));
        Assert.That(compiled.PTXAssembly, Does.Contain("ld.global.nc.L1::no_allocate.v4.b32"));
    }

    [TestCase(nameof(BFloat16Format), 3)]
    [TestCase(nameof(Float16Format), 3)]
    [TestCase(nameof(Float32Format), 4)]
    public void Tiles_in_registers_move_sixteen_bytes_at_a_time(string format, int loads)
    {
        MethodInfo tiled = PortableKernels.All().Single(k => k.Name == $"RegisterTiledLinearKernel_Run_{format}").Method;
        var compiled = (PTXCompiledKernel)backend!.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(tiled), new KernelSpecialization(Team.Size, 1));
        if (Ptxas.Find() is not { } ptxas)
        {
            Absent.Skip("not assembled: no ptxas (DERA_PTXAS or PATH; tools/get-ptxas.sh fetches one)");
            return;
        }

        Assembled assembled = Ptxas.Assemble(ptxas, compiled.PTXAssembly, Target);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Count(@"\bFFMA\b"), Is.EqualTo(64), "the products of one input in a loop, and none elsewhere");
            Assert.That(Count(@"\bLDS(\.\w+)*\.128\b"), Is.EqualTo(4), "operands of one input");
            Assert.That(Count(@"\bLDG\.E\.(\w+\.)*128\b"), Is.GreaterThanOrEqualTo(2 * loads), "the first stage and the following ones");
            Assert.That(assembled.Registers, Is.LessThanOrEqualTo(168), "three groups a multiprocessor");
        }

        int Count(string instruction) => System.Text.RegularExpressions.Regex.Count(assembled.Sass, instruction);
    }

    [Test]
    public void The_probe_multiplies_and_adds_in_one_instruction()
    {
        MethodInfo probe = PortableKernels.All().Single(k => k.Name == $"{nameof(FmaProbeKernel)}_Run").Method;
        var compiled = (PTXCompiledKernel)backend!.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(probe), new KernelSpecialization(Team.Size, 1));
        if (Ptxas.Find() is not { } ptxas)
        {
            Absent.Skip("not assembled: no ptxas (DERA_PTXAS or PATH; tools/get-ptxas.sh fetches one)");
            return;
        }

        string sass = Ptxas.Assemble(ptxas, compiled.PTXAssembly, Target).Sass;
        Assert.That(System.Text.RegularExpressions.Regex.Count(sass, @"\bFFMA\b"), Is.GreaterThanOrEqualTo(FmaProbeKernel.PerRound));
    }
}
