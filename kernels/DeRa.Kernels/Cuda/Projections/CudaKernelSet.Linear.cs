using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
    {
        if (!UsesTensorCores(w))
        {
            base.EnqueueLinear(x, w, bias, y, accumulate);
        }
        else if (x.Rows > 0 && w.Rows > 0)
        {
            if (w.DType == DType.BF16)
            {
                Project<TensorBFloat16>(x, w, bias, y, accumulate);
            }
            else
            {
                Project<TensorFloat16>(x, w, bias, y, accumulate);
            }
        }
    }

    private void Project<TFormat>(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
        where TFormat : struct, ITensorFormat
    {
        LinearPlan plan = LinearPlan.For(w.Rows, w.Columns);
        bool isSkinny = x.Rows <= SkinnyLinearKernel<TFormat>.Rows;
        long tiles = isSkinny
            ? Tiles(w.Rows, SkinnyLinearKernel<TFormat>.Outputs)
            : Tiles(w.Rows, TiledLinearKernel<TFormat>.Tile) * Tiles(x.Rows, TiledLinearKernel<TFormat>.Tile);

        // Where tiles alone do not fill the device twice over, every segment has a group of its own.
        bool isSplit = isSkinny || tiles < 2 * Multiprocessors;
        bool hasPartials = isSplit && plan.Segments > 1;
        var args = new TensorLinearArgs
        {
            X = View(x),
            Rounded = None.As<ushort>(),
            W = View(w),
            Bias = View(bias),
            Y = View(y),
            Accumulate = accumulate ? 1 : 0,
            SegmentBlocks = plan.SegmentBlocks,
            Segments = plan.Segments,
            SegmentsPerGroup = isSplit ? 1 : plan.Segments,
            Partials = (hasPartials ? Scratch("partial sums", (long)plan.Segments * x.Rows * w.Rows * sizeof(float)) : None).As<float>(),
            Counters = (hasPartials ? Scratch("linear arrivals", tiles * sizeof(int)) : None).As<int>(),
        };
        if (isSkinny)
        {
            LaunchInOrder(SkinnyLinearKernel<TFormat>.Run, tiles * plan.Segments, args, SkinnyLinearKernel<TFormat>.GroupSize);
            return;
        }

        PortableBuffer rounded = Scratch("rounded activations", (long)x.Rows * x.Columns * sizeof(ushort));
        LaunchInOrder(
            RoundKernel<TFormat>.Run, Elementwise.Groups(x.Rows, x.Columns), new RoundArgs { X = args.X, Rounded = rounded.As<Quad>() });
        args.Rounded = rounded.As<ushort>();
        LaunchInOrder(
            TiledLinearKernel<TFormat>.Run, tiles * (isSplit ? plan.Segments : 1), args, TiledLinearKernel<TFormat>.GroupSize);
    }
}
