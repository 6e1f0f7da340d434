using System.Runtime.InteropServices;
using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

/// <summary>Which form takes projections of many rows: wgmma only after a comparison of bits with mma.sync on this device, and only where it is faster there.</summary>
public sealed partial class CudaKernelSet
{
    private readonly WarpgroupChoice warpgroups;
    private readonly bool hasWarpgroups;
    private readonly Dictionary<DType, ManyRowsForm> chosen = [];
    private readonly List<string> findings = [];

    /// <inheritdoc />
    public override IReadOnlyList<string> Findings => findings;

    // Settled before a type's first projection of many rows, and not within a recording: what is recorded before goes by mma.sync, with the same bits.
    private ManyRowsForm FormOfManyRows(DType type)
    {
        if (!hasWarpgroups || chosen.ContainsKey(type) || launcher.IsRecording)
        {
            return chosen.GetValueOrDefault(type, ManyRowsForm.Tiles);
        }

        List<(ManyRowsForm Form, string Reason)> refused = Refused(type);
        (ManyRowsForm form, string finding) = warpgroups.Settle(type, refused, forms => Times(type, forms));
        chosen[type] = form;
        findings.Add(finding);
        if (refused.Count > 0)
        {
            log?.Invoke($"device {Device.Id}: {finding}");
        }

        return form;
    }

    // The forms that cannot be used and why: a bit is another than by mma.sync, or the driver does not take them.
    private List<(ManyRowsForm Form, string Reason)> Refused(DType type)
    {
        if (accelerator is { InstructionSet: var known } && known < WarpgroupChoice.Since)
        {
            return [.. warpgroups.Forms.Select(form => (form, $"the driver knows PTX {known.Major}.{known.Minor}, {WarpgroupChoice.Since.Major}.{WarpgroupChoice.Since.Minor} needed"))];
        }

        List<(ManyRowsForm Form, string Reason)> refused = [];
        foreach (ProductShape shape in warpgroups.Shapes)
        {
            ManyRowsForm[] left = [.. warpgroups.Forms.Except(refused.Select(pair => pair.Form))];
            if (left.Length == 0)
            {
                break;
            }

            using PortableBuffer x = Uploaded(ProductComparison.Activations(type, shape)), w = Uploaded(ProductComparison.Weights(type, shape));
            uint[] expected = Results(type, shape, ManyRowsForm.Tiles, x, w);
            foreach (ManyRowsForm form in left)
            {
                try
                {
                    if (ProductComparison.Difference(shape, expected, Results(type, shape, form, x, w)) is { } difference)
                    {
                        refused.Add((form, difference));
                    }
                }
                catch (DeviceException e)
                {
                    refused.Add((form, WarpgroupChoice.OneLine(e)));
                }
            }
        }

        return refused;
    }

    private uint[] Results(DType type, ProductShape shape, ManyRowsForm form, PortableBuffer x, PortableBuffer w)
    {
        var results = new uint[shape.Length];
        results.AsSpan().Fill(ProductComparison.Untouched);
        using PortableBuffer y = Uploaded(results);
        Project(form, type, shape, x, w, y);
        ReadBytes(y, 0, MemoryMarshal.AsBytes(results.AsSpan()));
        return results;
    }

    private void Project(ManyRowsForm form, DType type, ProductShape shape, PortableBuffer x, PortableBuffer w, PortableBuffer y)
    {
        var projection = new PendingLinears.Projection(
            Matrix.Dense(x, shape.Rows, shape.Depth), new Weight(w, 0, type, shape.Outputs, shape.Depth), null,
            new Matrix(y, 0, shape.Rows, shape.Outputs, shape.Stride), false);
        Project(form, type, projection.X, [Part(projection)], new TensorLinearArgs { Activation = TensorLinearArgs.NoActivation }, shape.IsSplit);
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
