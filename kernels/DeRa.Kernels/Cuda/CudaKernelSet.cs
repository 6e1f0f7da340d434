using DeRa.Kernels.Portable;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// The op contract on NVIDIA devices: the operations that cost the most on tensor cores and with streaming loads, the others as in
/// <see cref="PortableKernelSet"/>. What a device or a shape does not allow falls back by a rule that knows only the weight, so a row's bits never
/// depend on the batch.
/// </summary>
public sealed partial class CudaKernelSet : PortableKernelSet
{
    private readonly CudaAccelerator? accelerator; // null in emulation
    private readonly Action<string>? log;
    private readonly bool hasFloat16, hasBFloat16;

    /// <summary>Takes over an opened device.</summary>
    /// <param name="device">Disposed of with the set.</param>
    /// <param name="log">Receives a line when memory cannot be page-locked, one when steps cannot be captured, and one when wgmma cannot be used.</param>
    public CudaKernelSet(DeviceContext device, Action<string>? log = null)
        : this(device, ((device ?? throw new ArgumentNullException(nameof(device))).Accelerator as CudaAccelerator)?.Architecture
            ?? throw new ArgumentException("not a CUDA device", nameof(device)), log, WarpgroupChoice.FromEnvironment()) => captures = true;

    /// <summary>As if the device were of an architecture: for emulation.</summary>
    /// <param name="device">Disposed of with the set.</param>
    /// <param name="architecture">What to choose kernels by.</param>
    /// <param name="log">As for a device.</param>
    /// <param name="warpgroups">What may take projections of many rows where the architecture has wgmma; all of its forms when null.</param>
    internal CudaKernelSet(DeviceContext device, CudaArchitecture architecture, Action<string>? log = null, WarpgroupChoice? warpgroups = null)
        : base(device, KernelForm.Cooperative, Team.Size)
    {
        accelerator = device.Accelerator as CudaAccelerator;
        this.log = log;
        this.warpgroups = warpgroups ?? new WarpgroupChoice();
        hasWarpgroups = architecture == WarpgroupChoice.Architecture;
        hasFloat16 = architecture >= CudaArchitecture.SM_75;
        hasBFloat16 = architecture >= CudaArchitecture.SM_80;
    }

    /// <summary>Which operations are this set's own on an architecture, and with which weights; for people.</summary>
    internal static string Describe(CudaArchitecture architecture)
    {
        string types = architecture >= CudaArchitecture.SM_80 ? "bf16, f16" : "f16";
        string wgmma = architecture == WarpgroupChoice.Architecture ? "; Linear above 16 rows by wgmma, where its bits are mma.sync's and it is faster" : "";
        return architecture >= CudaArchitecture.SM_75
            ? $"Cuda: Linear, GatedLinear, PagedAttention, RealignHead, RealignScore ({types}, tensor cores{wgmma}); Portable: all others, and f32"
            : "Portable: all operations";
    }

    /// <inheritdoc />
    public override long FreeBytes => accelerator?.GetFreeMemory() ?? base.FreeBytes;

    /// <inheritdoc />
    public override DType ProjectionType(Weight weight) => UsesTensorCores(weight) ? weight.DType : DType.F32;

    /// <inheritdoc />
    public override int RowStride(DType weights, int inputs) => HasTensorCores(weights) ? Fragments.Padded(inputs) : inputs;

    private bool HasTensorCores(DType type) => type switch { DType.F16 => hasFloat16, DType.BF16 => hasBFloat16, _ => false };

    // Rows of a weight begin at multiples of sixteen bytes where the first does and they are a multiple of eight elements apart.
    private bool UsesTensorCores(Weight weight) =>
        HasTensorCores(weight.DType)
        && !weight.InputMajor && weight.RowStride % Fragments.Load == 0 && weight.ByteOffset % 16 == 0;
}
