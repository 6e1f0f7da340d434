namespace DeRa.Kernels.Portable;

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
    {
        if (y.Rows == 0 || y.Columns == 0)
        {
            return;
        }

        // A processor's group walks over all rows with its weights in the cache; a GPU wants the groups. Fewer outputs a group where there
        // would be fewer groups than workers.
        int tile = form == KernelForm.Cooperative ? 32 : y.Columns >= 8 * LinearArgs.LargestTile ? LinearArgs.LargestTile : 12;
        int rowsPerGroup = form == KernelForm.Cooperative ? 4 * ProjectionRows.Block : x.Rows;
        LaunchInOrder(
            LinearKernelFor(w.DType),
            Tiles(y.Columns, tile) * Tiles(x.Rows, rowsPerGroup),
            new LinearArgs
            {
                X = View(x),
                W = View(w),
                Bias = View(bias),
                Y = View(y),
                Accumulate = accumulate ? 1 : 0,
                InputMajor = w.InputMajor ? 1 : 0,
                Tile = tile,
                RowsPerGroup = rowsPerGroup,
            });
    }

    private Action<LinearArgs> LinearKernelFor(DType dtype) => (form, dtype) switch
    {
        (KernelForm.Serial, DType.BF16) => LinearKernel<SerialProjector<BFloat16Format>>.Run,
        (KernelForm.Serial, DType.F16) => LinearKernel<SerialProjector<Float16Format>>.Run,
        (KernelForm.Serial, _) => LinearKernel<SerialProjector<Float32Format>>.Run,
        (_, DType.BF16) => LinearKernel<CooperativeProjector<BFloat16Format>>.Run,
        (_, DType.F16) => LinearKernel<CooperativeProjector<Float16Format>>.Run,
        _ => LinearKernel<CooperativeProjector<Float32Format>>.Run,
    };
}
