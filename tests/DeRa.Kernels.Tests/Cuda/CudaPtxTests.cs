using System.Text.RegularExpressions;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Tests.Portable;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>
/// Every CUDA kernel compiles without a GPU and assembles for each architecture family: no spills, no local memory, no more registers than its group
/// allows, and the machine code holds the wide loads, asynchronous copies and tensor-core instructions that it was written for.
/// </summary>
internal sealed class CudaPtxTests
{
    private const int StaticShared = 48 << 10;

    private static IEnumerable<TestCaseData> Kernels =>
        from kernel in CudaKernels.All()
        from target in kernel.Targets
        select new TestCaseData(kernel, target).SetArgDisplayNames(kernel.Name, target);

    [TestCaseSource(nameof(Kernels))]
    public void Assembles_to_what_it_was_written_for(CudaKernel kernel, string target)
    {
        string ptx = Compile(kernel, target);
        Assert.That(ptx, Does.Contain($".target {target}\n"));
        if (Ptxas.Find() is not { } ptxas)
        {
            Absent.Skip("compiled to PTX; not assembled: no ptxas (DERA_PTXAS or PATH; tools/get-ptxas.sh fetches one)");
            return;
        }

        if (!Ptxas.Knows(ptxas, target))
        {
            Assert.Ignore($"compiled to PTX; not assembled: this ptxas does not know {target} (CUDA 12.8 or newer does)");
            return;
        }

        Assembled assembled = Ptxas.Assemble(ptxas, ptx, target);
        Assert.That(assembled.Ok, Is.True, assembled.Log);
        TestContext.Out.WriteLine($"{assembled.Registers} registers, {assembled.SharedBytes} bytes shared");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(assembled.SpillBytes, Is.Zero, assembled.Log);
            Assert.That(assembled.StackBytes, Is.Zero, assembled.Log);
            Assert.That(assembled.Registers, Is.LessThanOrEqualTo(kernel.MostRegisters));
            Assert.That(assembled.SharedBytes, Is.LessThanOrEqualTo(StaticShared), "static shared memory");
            Assert.That(Regex.Count(assembled.Sass, @"\b(LDL|STL)\b"), Is.Zero, "local memory");
            Assert.That(assembled.Log, Does.Not.Contain("wgmma"), "a warning that instructions are serialised");
            foreach ((string instruction, int atLeast) in kernel.Expected)
            {
                Assert.That(Regex.Count(assembled.Sass, instruction), Is.GreaterThanOrEqualTo(atLeast), instruction);
            }

            if (kernel.Inputs.Tensors > 0 && target != "sm_75")
            {
                IReadOnlyList<string[]> loops = MachineLoops.Multiplying(assembled.Sass, kernel.Inputs.Tensors);
                TestContext.Out.WriteLine($"loops over inputs: {string.Join(", ", loops.Select(loop => loop.Length))} instructions");
                Assert.That(loops, Has.Count.EqualTo(kernel.Inputs.Loops), "loops over inputs");
                Assert.That(loops.SelectMany(loop => loop).Count(MachineLoops.IsDivision), Is.Zero, "divisions in loops over inputs");
                Assert.That(loops.Select(loop => loop.Length), Is.All.LessThanOrEqualTo(kernel.Inputs.MostInstructions), "instructions in a loop over inputs");
            }

            if (target != "sm_75" && ptx.Contains("cp.async", StringComparison.Ordinal))
            {
                Assert.That(Regex.Count(assembled.Sass, CudaKernels.Copy), Is.Positive);
            }
        }
    }

    /// <summary>What copies wrote reaches wgmma by the fence alone, and all of a stage stands in one piece: products, copies, wait.</summary>
    [Test]
    public void Copies_are_fenced_before_wgmma_reads_them_and_begin_before_it_is_awaited()
    {
        string ptx = Compile(CudaKernels.All().First(kernel => kernel.Targets.Contains(CudaKernels.Warpgroups)), CudaKernels.Warpgroups);
        Assert.That(ptx, Does.Match(@"cp\.async\.wait_group 1;\s+fence\.proxy\.async\.shared::cta;[^{}]*?bar\.sync"));
        Assert.That(ptx, Does.Match(
            @"wgmma\.fence(?:[^{}]*wgmma\.mma_async[^{}]*\{[^{}]*\}){8}[^{}]*wgmma\.commit_group[^{}]*cp\.async\.commit_group;\s+wgmma\.wait_group\.sync\.aligned 0;"));
        Assert.That(Regex.Count(ptx, @"wgmma\.mma_async"), Is.EqualTo(Warpgroup.Products));
    }

    [Test]
    public void Every_kernel_is_listed()
    {
        string[] classes =
        [
            .. typeof(CudaKernelSet).Assembly.GetTypes()
                .Where(t => t.Namespace == typeof(CudaKernelSet).Namespace && t.Name.Split('`')[0].EndsWith("Kernel", StringComparison.Ordinal))
                .Select(t => t.Name.Split('`')[0]),
        ];
        Assert.That(classes, Is.Not.Empty);
        Assert.That(classes.Except(CudaKernels.All().Select(k => k.Method.DeclaringType!.Name.Split('`')[0])), Is.Empty);
    }

    private static string Compile(CudaKernel kernel, string target)
    {
        (_, CudaArchitecture architecture, CudaInstructionSet instructions) = CudaKernels.Targets.Single(t => t.Name == target);
        using Context context = DeviceContext.CreateContext(builder => DeviceContext.InlineEverything(builder.CPU()));
        using PTXBackend backend = DeviceContext.OfflineBackend(context, architecture, instructions);
        var compiled = (PTXCompiledKernel)backend.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), new KernelSpecialization(kernel.GroupSize, 1));
        return target == CudaKernels.Warpgroups ? PtxTarget.ArchitectureSpecific(compiled.PTXAssembly) : compiled.PTXAssembly;
    }
}
