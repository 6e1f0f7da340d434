namespace DeRa.Kernels.Portable;

/// <summary>Chooses the head's kernels by form and storage types.</summary>
internal static class HeadKernels
{
    public static Action<HeadArgs> First(KernelForm form, DType reference, DType aligned) =>
        Choose(form, reference, aligned, new FirstChoice());

    public static Action<HeadArgs> Sweep(KernelForm form, DType reference, DType aligned) =>
        Choose(form, reference, aligned, new SweepChoice());

    public static Action<ScoreArgs> Score(KernelForm form, DType reference, DType aligned) =>
        Choose(form, reference, aligned, new ScoreChoice());

    private static T Choose<T>(KernelForm form, DType reference, DType aligned, IChoice<T> choice) => (form, reference) switch
    {
        (KernelForm.Serial, DType.BF16) => Choose<T, SerialProjector<BFloat16Format>>(form, aligned, choice),
        (KernelForm.Serial, DType.F16) => Choose<T, SerialProjector<Float16Format>>(form, aligned, choice),
        (KernelForm.Serial, _) => Choose<T, SerialProjector<Float32Format>>(form, aligned, choice),
        (_, DType.BF16) => Choose<T, CooperativeProjector<BFloat16Format>>(form, aligned, choice),
        (_, DType.F16) => Choose<T, CooperativeProjector<Float16Format>>(form, aligned, choice),
        _ => Choose<T, CooperativeProjector<Float32Format>>(form, aligned, choice),
    };

    private static T Choose<T, TReference>(KernelForm form, DType aligned, IChoice<T> choice)
        where TReference : struct, IProjector => (form, aligned) switch
        {
            (KernelForm.Serial, DType.BF16) => choice.Of<TReference, SerialProjector<BFloat16Format>>(),
            (KernelForm.Serial, DType.F16) => choice.Of<TReference, SerialProjector<Float16Format>>(),
            (KernelForm.Serial, _) => choice.Of<TReference, SerialProjector<Float32Format>>(),
            (_, DType.BF16) => choice.Of<TReference, CooperativeProjector<BFloat16Format>>(),
            (_, DType.F16) => choice.Of<TReference, CooperativeProjector<Float16Format>>(),
            _ => choice.Of<TReference, CooperativeProjector<Float32Format>>(),
        };

    private interface IChoice<T>
    {
        T Of<TReference, TAligned>()
            where TReference : struct, IProjector
            where TAligned : struct, IProjector;
    }

    private sealed class FirstChoice : IChoice<Action<HeadArgs>>
    {
        public Action<HeadArgs> Of<TReference, TAligned>()
            where TReference : struct, IProjector
            where TAligned : struct, IProjector => HeadKernel<TReference, TAligned>.Run;
    }

    private sealed class SweepChoice : IChoice<Action<HeadArgs>>
    {
        public Action<HeadArgs> Of<TReference, TAligned>()
            where TReference : struct, IProjector
            where TAligned : struct, IProjector => SweepKernel<TReference, TAligned>.Run;
    }

    private sealed class ScoreChoice : IChoice<Action<ScoreArgs>>
    {
        public Action<ScoreArgs> Of<TReference, TAligned>()
            where TReference : struct, IProjector
            where TAligned : struct, IProjector => ScoreKernel<TReference, TAligned>.Run;
    }
}
