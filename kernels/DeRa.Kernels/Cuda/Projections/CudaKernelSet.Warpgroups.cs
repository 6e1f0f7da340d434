using System.Runtime.InteropServices;
using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

/// <summary>Whether projections of many rows go by wgmma: only after a comparison of bits with mma.sync on this device.</summary>
public sealed partial class CudaKernelSet
{
    private readonly WarpgroupForm warpgroups;
    private readonly bool hasWarpgroups;
    private readonly Dictionary<DType, bool> takesWarpgroups = [];
    private readonly List<string> findings = [];

    /// <inheritdoc />
    public override IReadOnlyList<string> Findings => findings;

    // Settled before a type's first projection of many rows, and not within a recording: what is recorded before goes by mma.sync, with the same bits.
    private bool TakesWarpgroups(DType type)
    {
        if (!hasWarpgroups || takesWarpgroups.ContainsKey(type) || launcher.IsRecording)
        {
            return hasWarpgroups && takesWarpgroups.GetValueOrDefault(type);
        }

        string? reason = WhyNot(type);
        takesWarpgroups[type] = reason is null;
        findings.Add($"{type} projections of more than {SkinnyLinearKernel<TensorFloat16>.Rows} rows: " + (reason is null
            ? "wgmma, whose bits were those of mma.sync in every comparison here"
            : $"mma.sync, not wgmma: {reason}"));
        if (reason is not null && warpgroups.IsAllowed)
        {
            log?.Invoke($"device {Device.Id}: {findings[^1]}");
        }

        return reason is null;
    }

    private string? WhyNot(DType type)
    {
        if (!warpgroups.IsAllowed)
        {
            return $"switched off by {WarpgroupForm.Variable}";
        }

        if (accelerator is { InstructionSet: var known } && known < WarpgroupForm.Since)
        {
            return $"the driver knows PTX {known.Major}.{known.Minor}, {WarpgroupForm.Since.Major}.{WarpgroupForm.Since.Minor} needed";
        }

        try
        {
            return warpgroups.Shapes.Select(shape => Compare(type, shape)).FirstOrDefault(difference => difference is not null);
        }
        catch (DeviceException e)
        {
            // A driver's compiler adds lines of its own, some of them blank.
            return string.Join("; ", e.Message.Split('\n').Select(line => line.Trim('\0', '\r', ' ')).Where(line => line.Length > 0));
        }
    }

    // Null where both kernels gave the same bits.
    private string? Compare(DType type, ProductShape shape)
    {
        using PortableBuffer x = Uploaded(ProductComparison.Activations(type, shape)), w = Uploaded(ProductComparison.Weights(type, shape));
        var results = new uint[2][];
        foreach ((int i, LinearForm form) in new[] { (0, LinearForm.Tiles), (1, LinearForm.Warpgroups) })
        {
            results[i] = new uint[shape.Length];
            results[i].AsSpan().Fill(ProductComparison.Untouched);
            using PortableBuffer y = Uploaded(results[i]);
            var projection = new PendingLinears.Projection(
                Matrix.Dense(x, shape.Rows, shape.Depth), new Weight(w, 0, type, shape.Outputs, shape.Depth), null,
                new Matrix(y, 0, shape.Rows, shape.Outputs, shape.Stride), false);
            Project(form, type, projection.X, [Part(projection)], new TensorLinearArgs { Activation = TensorLinearArgs.NoActivation }, shape.IsSplit);
            ReadBytes(y, 0, MemoryMarshal.AsBytes(results[i].AsSpan()));
        }

        return ProductComparison.Difference(shape, results[0], results[1]);
    }

    private PortableBuffer Uploaded<T>(T[] data)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes<T>(data);
        PortableBuffer buffer = AllocateBytes(bytes.Length);
        WriteBytes(buffer, 0, bytes);
        return buffer;
    }
}
