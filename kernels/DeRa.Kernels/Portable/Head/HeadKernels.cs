namespace DeRa.Kernels.Portable;

/// <summary>The head's kernels for a pair of projectors, and how many rows a group takes.</summary>
internal sealed record HeadKernels(Action<HeadArgs> First, Action<HeadArgs> Sweep, Action<ScoreArgs> Score, int Block)
{
    /// <summary>The kernels of two projectors with the same number of rows.</summary>
    public static HeadKernels Of<TReference, TAligned>()
        where TReference : struct, IProjector
        where TAligned : struct, IProjector => new(
        HeadKernel<TReference, TAligned>.Run, SweepKernel<TReference, TAligned>.Run, ScoreKernel<TReference, TAligned>.Run, TReference.Block);

    /// <summary>By form and storage types.</summary>
    public static HeadKernels For(KernelForm form, DType reference, DType aligned) => (form, reference) switch
    {
        (KernelForm.Serial, DType.BF16) => For<SerialProjector<BFloat16Format>>(form, aligned),
        (KernelForm.Serial, DType.F16) => For<SerialProjector<Float16Format>>(form, aligned),
        (KernelForm.Serial, _) => For<SerialProjector<Float32Format>>(form, aligned),
        (_, DType.BF16) => For<CooperativeProjector<BFloat16Format>>(form, aligned),
        (_, DType.F16) => For<CooperativeProjector<Float16Format>>(form, aligned),
        _ => For<CooperativeProjector<Float32Format>>(form, aligned),
    };

    private static HeadKernels For<TReference>(KernelForm form, DType aligned)
        where TReference : struct, IProjector => (form, aligned) switch
        {
            (KernelForm.Serial, DType.BF16) => Of<TReference, SerialProjector<BFloat16Format>>(),
            (KernelForm.Serial, DType.F16) => Of<TReference, SerialProjector<Float16Format>>(),
            (KernelForm.Serial, _) => Of<TReference, SerialProjector<Float32Format>>(),
            (_, DType.BF16) => Of<TReference, CooperativeProjector<BFloat16Format>>(),
            (_, DType.F16) => Of<TReference, CooperativeProjector<Float16Format>>(),
            _ => Of<TReference, CooperativeProjector<Float32Format>>(),
        };
}
