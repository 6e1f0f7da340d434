using System.Globalization;
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
            Assert.That(assembled.Log, Does.Not.Contain("setmaxnreg"), "a warning that registers stay where they are");
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

            if (ptx.Contains("setmaxnreg", StringComparison.Ordinal))
            {
                AssertRoles(assembled);
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
        string ptx = Compile(Kernel(nameof(WarpgroupLinearKernel<>)), CudaKernels.Warpgroups);
        Assert.That(ptx, Does.Match(@"cp\.async\.wait_group 1;\s+fence\.proxy\.async\.shared::cta;[^{}]*?bar\.sync"));
        Assert.That(ptx, Does.Match(
            @"wgmma\.fence(?:[^{}]*wgmma\.mma_async[^{}]*\{[^{}]*\}){8}[^{}]*wgmma\.commit_group[^{}]*cp\.async\.commit_group;\s+wgmma\.wait_group\.sync\.aligned 0;"));
        Assert.That(Regex.Count(ptx, @"wgmma\.mma_async"), Is.EqualTo(Warpgroup.Products));
    }

    /// <summary>Copiers wait for the place, copy, await the stage before, fence and say so; multipliers wait for the stage, and give the one before back when it is done.</summary>
    [Test]
    public void Roles_meet_at_barriers_in_order()
    {
        string ptx = Compile(Kernel(nameof(SpecialisedLinearKernel<>)), CudaKernels.Warpgroups);
        Assert.That(ptx, Does.Match(@"@again bar\.sync free, 384;(?:\s+add\.u64 g[^\n]*\n(?:\s+cp\.async\.c[^\n]*\n){2}){24}\s+cp\.async\.commit_group;"));
        foreach (int left in new[] { 1, 0 })
        {
            Assert.That(ptx, Does.Match(
                $@"cp\.async\.wait_group {left};\s+fence\.proxy\.async\.shared::cta;\s+bar\.arrive full, 256; add\.u32 full, full, 3; bar\.arrive full, 256;"));
        }

        Assert.That(ptx, Does.Match(
            @"NEXT:\s+bar\.sync full, 256;\s+wgmma\.fence\.sync\.aligned;(?:[^;]*;){4}(?:\s+wgmma\.mma_async[^;]*;(?:[^;]*mov[^;]*;|[^;]*add[^;]*;)*){8}"
            + @"\s+wgmma\.commit_group\.sync\.aligned;\s+wgmma\.wait_group\.sync\.aligned 1;[^@]*@frees bar\.arrive free, 384;[^{}]*bra NEXT;"
            + @"\s+wgmma\.wait_group\.sync\.aligned 0;[^@]*@frees bar\.arrive free, 384;"));
        Assert.That(Regex.Count(ptx, @"\bbar\.sync\s+0"), Is.Zero, "a barrier of all work-items, some of whom have ended");
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

    // What multiplies and what copies are two pieces of machine code, each within the registers that it has after the exchange.
    private static void AssertRoles(Assembled assembled)
    {
        string[] arms = Regex.Split(assembled.Sass, @"USETMAXREG\.");
        Assert.That(arms, Has.Length.EqualTo(3));
        (string before, string multiplying, string copying) = (arms[0], arms[1], arms[2]);
        TestContext.Out.WriteLine($"registers: {Registers(before)}, multiplying {Registers(multiplying)}, copying {Registers(copying)}");
        Assert.That(assembled.Registers, Is.EqualTo(WarpgroupRoles.Registers), "what the driver launches it with");
        Assert.That(multiplying, Does.StartWith($"TRY_ALLOC.CTAPOOL UP0, 0x{WarpgroupRoles.MultiplierRegisters:x}"));
        Assert.That(copying, Does.StartWith($"DEALLOC.CTAPOOL 0x{WarpgroupRoles.CopierRegisters:x}"));
        Assert.That(2 * WarpgroupRoles.MultiplierRegisters + WarpgroupRoles.CopierRegisters, Is.LessThanOrEqualTo(3 * WarpgroupRoles.Registers));
        Assert.That(WarpgroupRoles.GroupSize * WarpgroupRoles.Registers, Is.LessThanOrEqualTo(65_536));
        Assert.That(Registers(before), Is.LessThanOrEqualTo(WarpgroupRoles.Registers));
        Assert.That(Registers(multiplying), Is.LessThanOrEqualTo(WarpgroupRoles.MultiplierRegisters));
        Assert.That(Registers(copying), Is.LessThanOrEqualTo(WarpgroupRoles.CopierRegisters));
        Assert.That(Regex.Count(before + multiplying, CudaKernels.Copy), Is.Zero, "copies by multipliers");
        Assert.That(Regex.Count(copying, CudaKernels.Copy), Is.EqualTo(2 * 48), "the first stage and the loop");
        Assert.That(Regex.Count(before + copying, "HGMMA"), Is.Zero, "products by copiers");
        int[] loops = [.. MachineLoops.Copying(copying, 48).Select(loop => loop.Length)];
        TestContext.Out.WriteLine($"loops over copies: {string.Join(", ", loops)} instructions");
        Assert.That(loops, Has.Length.EqualTo(1).And.All.LessThanOrEqualTo(145));

        static int Registers(string sass) => 1 + Regex.Matches(sass, @"\bR(\d+)\b").Max(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    private static CudaKernel Kernel(string name) => CudaKernels.All().First(kernel => kernel.Name.StartsWith(name, StringComparison.Ordinal));

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
