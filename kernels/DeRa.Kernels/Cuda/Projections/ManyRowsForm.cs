using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

/// <summary>A form of projections of more rows than <see cref="SkinnyLinearKernel{TFormat}"/> takes. All have the same tiles, grid and arguments.</summary>
/// <param name="Name">For people.</param>
/// <param name="Kernel">The kernel of a storage type.</param>
/// <param name="GroupSize">Work-items of a group.</param>
/// <param name="Needs">What the kernel needs beside a plain one.</param>
internal sealed record ManyRowsForm(string Name, Func<DType, Action<TensorLinearArgs>> Kernel, int GroupSize, KernelNeeds Needs)
{
    /// <summary>By mma.sync, wherever there are tensor cores.</summary>
    public static ManyRowsForm Tiles { get; } = new(
        "mma.sync", type => type == DType.BF16 ? TiledLinearKernel<TensorBFloat16>.Run : TiledLinearKernel<TensorFloat16>.Run, LinearTile.GroupSize, default);

    /// <summary>By wgmma, every warp copying and multiplying.</summary>
    public static ManyRowsForm Warpgroups { get; } = new(
        "wgmma", type => type == DType.BF16 ? WarpgroupLinearKernel<TensorBFloat16>.Run : WarpgroupLinearKernel<TensorFloat16>.Run,
        LinearTile.GroupSize, new KernelNeeds(WarpgroupLinearKernel<TensorFloat16>.SharedBytes, true));

    /// <summary>By wgmma and setmaxnreg, some warps copying and others multiplying.</summary>
    public static ManyRowsForm Roles { get; } = new(
        "wgmma with roles", type => type == DType.BF16 ? SpecialisedLinearKernel<TensorBFloat16>.Run : SpecialisedLinearKernel<TensorFloat16>.Run,
        WarpgroupRoles.GroupSize, new KernelNeeds(SpecialisedLinearKernel<TensorFloat16>.SharedBytes, true, WarpgroupRoles.Registers));

    /// <summary>Whether it reads activations in <see cref="OrderedRoundKernel{TFormat}"/>'s order: all but mma.sync.</summary>
    public bool IsOrdered => Needs.IsArchitectureSpecific;
}
