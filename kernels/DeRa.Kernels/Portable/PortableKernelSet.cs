using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// The op contract over any OpenCL or CUDA device: plain ILGPU kernels, explicit groups, static shared memory. Of the language only what PoCL 3.1
/// takes: no ILGPU atomics, dynamic shared memory, group broadcasts, warp operations or 16-bit floats.
/// </summary>
public partial class PortableKernelSet : KernelSet
{
    private readonly DeviceContext device;
    private protected readonly KernelLauncher launcher;
    private readonly KernelForm form;

    /// <summary>Takes over an opened device.</summary>
    /// <param name="device">Disposed of with the set.</param>
    /// <param name="form">How work is divided; by the device's type when null.</param>
    public PortableKernelSet(DeviceContext device, KernelForm? form = null)
        : this(device ?? throw new ArgumentNullException(nameof(device)), form ?? (device.IsProcessor ? KernelForm.Serial : KernelForm.Cooperative), Team.Size)
    {
    }

    /// <summary>With cooperative groups of a size that the emulation is faster with.</summary>
    /// <param name="device">Disposed of with the set.</param>
    /// <param name="form">How work is divided.</param>
    /// <param name="teamSize">Work-items of a cooperative group: a power of two from 16 to <see cref="Team.Size"/>.</param>
    internal PortableKernelSet(DeviceContext device, KernelForm form, int teamSize)
    {
        this.device = device;
        this.form = form;
        GroupSize = form == KernelForm.Serial ? 1 : teamSize;
        launcher = new KernelLauncher(device);
        none = AllocateBytes(Alignment);
    }

    /// <inheritdoc />
    public override DeviceDescription Device => device.Description;

    /// <inheritdoc />
    /// <remarks>In the form for GPUs neighbours share an output; of input-major weights each sums outputs of its own, one input after another.</remarks>
    public override bool PrefersOutputMajor(DType weights, int inputs) => form == KernelForm.Cooperative;

    /// <inheritdoc />
    public override long LaunchCount => launcher.Count;

    /// <summary>Multiprocessors, or compute units, of the device.</summary>
    private protected int Multiprocessors => device.Accelerator.NumMultiprocessors;

    /// <summary>Work-items per group of the kernels that have no other wish.</summary>
    private int GroupSize { get; }

    /// <inheritdoc />
    public override void Run()
    {
        LaunchPendingLinears();
        launcher.Synchronize();
        SettlePendingHeads();
    }

    /// <summary>Launches a kernel after everything enqueued before it; nothing for an empty grid.</summary>
    /// <param name="kernel">The entry point.</param>
    /// <param name="groups">Groups of the grid.</param>
    /// <param name="args">Its arguments.</param>
    /// <param name="groupSize">Work-items of a group; <see cref="GroupSize"/> when null.</param>
    /// <param name="needs">What the kernel needs beside a plain one.</param>
    private protected void LaunchInOrder<TArgs>(Action<TArgs> kernel, long groups, TArgs args, int? groupSize = null, KernelNeeds needs = default)
        where TArgs : struct
    {
        if (groups > 0)
        {
            LaunchPendingLinears();
            SettleBeforeOverwriting();
            launcher.Launch(kernel, groups, groupSize ?? GroupSize, args, needs);
        }
    }

    /// <summary>Forgets what waits to be launched or settled: nothing of it has run.</summary>
    private protected void DropWaiting()
    {
        pendingLinears.Clear();
        pending = null;
    }

    /// <summary>Registers every intrinsic body the kernels here use.</summary>
    internal static void RegisterIntrinsics(Context context)
    {
        GroupBarrier.Register(context);
        Subgroup.Register(context);
        SerialTile.Register(context);
        SerialMath.Register(context);
        SerialAttentionMath.Register(context);
        SerialHead.Register(context);
        WeightEight.Register(context);
        StoredEight.Register(context);
        Fused.Register(context);
        LastGroup.Register(context);
        Cuda.Ptx.Register(context);
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (PortableBuffer buffer in scratch.Values)
            {
                buffer.Dispose();
            }

            none.Dispose();
            launcher.Dispose();
            device.Dispose();
        }
    }
}
