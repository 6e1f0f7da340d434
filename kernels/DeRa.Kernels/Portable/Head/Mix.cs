using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>h = λ·h_a + (1 − λ)·h_r per row: where both models share the output weight, projecting it once gives the mixture's logits.</summary>
internal static class MixKernel
{
    public static void Run(MixArgs args)
    {
        int columns = args.Mixed.Columns, index = Elementwise.Row(columns);
        float lambda = args.Rows[index].Lambda;
        long reference = args.Reference.Row(index), aligned = args.Aligned.Row(index), mixed = args.Mixed.Row(index);
        for (int i = Elementwise.First(columns); i < Elementwise.End(columns); i += Group.DimX)
        {
            args.Mixed.Data[mixed + i] = HeadScores.Mix(args.Reference.Data[reference + i], args.Aligned.Data[aligned + i], lambda);
        }
    }
}

/// <summary>Arguments of <see cref="MixKernel"/>, which also mixes stored logits.</summary>
internal struct MixArgs
{
    public MatrixView Reference;
    public MatrixView Aligned;
    public ArrayView<HeadRow> Rows;
    public MatrixView Mixed;
}
