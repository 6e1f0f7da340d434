using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    /// <inheritdoc />
    private protected override HeadKernels HeadKernelsFor(Weight reference, Weight aligned) =>
        !UsesTensorCores(reference) || !UsesTensorCores(aligned)
            ? base.HeadKernelsFor(reference, aligned)
            : (reference.DType, aligned.DType) switch
            {
                (DType.BF16, DType.BF16) => HeadKernels.Of<TensorProjector<TensorBFloat16>, TensorProjector<TensorBFloat16>>(),
                (DType.BF16, _) => HeadKernels.Of<TensorProjector<TensorBFloat16>, TensorProjector<TensorFloat16>>(),
                (_, DType.BF16) => HeadKernels.Of<TensorProjector<TensorFloat16>, TensorProjector<TensorBFloat16>>(),
                _ => HeadKernels.Of<TensorProjector<TensorFloat16>, TensorProjector<TensorFloat16>>(),
            };

    /// <inheritdoc />
    /// <remarks>
    /// Rounding the mixture of two hidden states is not the mixture of the rounded ones. The weights are read from device memory once either way.
    /// </remarks>
    private protected override bool IsProjectedOnce(HeadModel reference, HeadModel aligned) =>
        !UsesTensorCores(reference.Output) && base.IsProjectedOnce(reference, aligned);
}
