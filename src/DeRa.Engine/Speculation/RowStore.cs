using DeRa.Kernels;

namespace DeRa.Engine.Speculation;

/// <summary>Rows that outlive a step: [rows, width] of each model, and room to bring rows from different places together. Allocated once.</summary>
internal sealed class RowStore : IDisposable
{
    private readonly KernelSet kernels;
    private readonly DeviceBuffer[] buffers = new DeviceBuffer[4];
    private readonly int[] widths;
    private readonly int keptRows, gatheredRows;

    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public RowStore(KernelSet kernels, int keptRows, int gatheredRows, int referenceWidth, int alignedWidth)
    {
        this.kernels = kernels;
        (this.keptRows, this.gatheredRows) = (keptRows, gatheredRows);
        widths = [referenceWidth, alignedWidth];
        for (int i = 0; i < buffers.Length; i++)
        {
            buffers[i] = kernels.Allocate((long)sizeof(float) * (i < 2 ? keptRows : gatheredRows) * widths[i % 2]);
        }
    }

    /// <summary>All kept rows of a model.</summary>
    public Matrix Kept(ModelSide side) => Matrix.Dense(buffers[(int)side], keptRows, widths[(int)side]);

    /// <summary>Enqueues bringing rows of <paramref name="source"/> together; they stay until the next call for the same model.</summary>
    public Matrix Gather(ModelSide side, Matrix source, IntVector rows)
    {
        if (rows.Length > gatheredRows)
        {
            throw new InvalidOperationException($"{rows.Length} rows asked for, there is room for {gatheredRows}");
        }

        Matrix target = Matrix.Dense(buffers[2 + (int)side], rows.Length, widths[(int)side]);
        kernels.Gather(source, rows, target);
        return target;
    }

    /// <summary>Enqueues keeping one row of <paramref name="source"/> as row <paramref name="to"/>.</summary>
    public void Keep(ModelSide side, Matrix source, IntVector row, int to)
    {
        int width = widths[(int)side];
        kernels.Gather(source, row, new Matrix(buffers[(int)side], (long)to * width, 1, width, width));
    }

    public void Dispose()
    {
        foreach (DeviceBuffer buffer in buffers)
        {
            buffer?.Dispose();
        }
    }
}
