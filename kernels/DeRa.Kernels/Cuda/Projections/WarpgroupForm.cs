using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>The form of projections of many rows that takes wgmma.</summary>
internal sealed class WarpgroupForm
{
    /// <summary>Names the environment variable that keeps the form from being used.</summary>
    public const string Variable = "DERA_WGMMA";

    /// <summary>The one architecture that has the instructions; newer ones have others.</summary>
    public static CudaArchitecture Architecture { get; } = new(9, 0);

    /// <summary>The PTX ISA that has them.</summary>
    public static CudaInstructionSet Since { get; } = new(8, 0);

    /// <summary>Whether it may be used at all.</summary>
    public bool IsAllowed { get; init; } = true;

    /// <summary>The kernel of a storage type.</summary>
    public Func<DType, Action<TensorLinearArgs>> Kernel { get; init; } =
        type => type == DType.BF16 ? WarpgroupLinearKernel<TensorBFloat16>.Run : WarpgroupLinearKernel<TensorFloat16>.Run;

    /// <summary>What to compare before a storage type's kernel is used.</summary>
    public IReadOnlyList<ProductShape> Shapes { get; init; } = ProductComparison.Shapes;

    /// <summary>As the environment has it.</summary>
    /// <exception cref="DeviceException">The variable is neither on nor off.</exception>
    public static WarpgroupForm FromEnvironment() => new()
    {
        IsAllowed = Environment.GetEnvironmentVariable(Variable) switch
        {
            null or "" or "on" => true,
            "off" => false,
            string other => throw new DeviceException($"the environment variable {Variable} is '{other}'; on or off was expected"),
        },
    };
}
