using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>Up to 8, or 16, rows of activations in shared memory, rounded to the weight's type, in the blocks of <see cref="Fragments"/>.</summary>
internal static class StagedRows
{
    /// <summary>Lines of a block for a number of rows: 8 or 16.</summary>
    public static int Lines(int rows) => rows > Fragments.Rows ? 2 * Fragments.Rows : Fragments.Rows;

    /// <summary>Stages blocks from input <paramref name="firstK"/> on, zeros past the rows and the inputs. The group shares it out.</summary>
    public static void Fill<TFormat>(MatrixView x, ArrayView<Quad> staged, int firstK, int blocks, int lines)
        where TFormat : struct, ITensorFormat
    {
        int blockBits = lines > Fragments.Rows ? 6 : 5; // of lines × 4 loads
        for (int i = Group.IdxX; i < blocks << blockBits; i += Group.DimX)
        {
            int line = (i >> 2) & (lines - 1), k = firstK + (i >> blockBits) * Fragments.Block + Fragments.Load * (i & (Fragments.Loads - 1));
            Quad rounded = default;
            if (line < x.Rows && k < x.Columns)
            {
                rounded = Fragments.Round<TFormat>(x, line, k);
            }

            staged[i] = rounded;
        }
    }
}
