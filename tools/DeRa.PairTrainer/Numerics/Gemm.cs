using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.PairTrainer.Numerics;

/// <summary>
/// Matrix product C (+)= A·B. Each element of C is one fused multiply-add chain over k in ascending order, whatever the vector
/// width, the tile or the number of threads; that is what makes training repeatable.
/// </summary>
internal static unsafe class Gemm
{
    private const int TileRows = 4;

    /// <summary>
    /// Computes C = A·B, or C += A·B. Panels of B, two vectors wide, are packed once and reused by all rows of A; a tile of
    /// 4 rows × 2 vectors stays in registers over the whole of k.
    /// </summary>
    /// <param name="workers">Threads that share the panels.</param>
    /// <param name="a">[m, k], row-major or transposed.</param>
    /// <param name="b">[k, n], row-major or transposed.</param>
    /// <param name="c">[m, n], contiguous.</param>
    /// <param name="accumulate">Whether to add to C.</param>
    public static void Multiply<T>(Workers workers, Matrix<T> a, Matrix<T> b, T[] c, bool accumulate = false)
        where T : unmanaged
    {
        T[]? copy = null;
        if (a.ColumnStride != 1)
            (a, copy) = MakeRowMajor(workers, a);
        int panelWidth = 2 * Vector512<T>.Count;
        int panels = (b.Columns + panelWidth - 1) / panelWidth;
        workers.ForRanges(panels, (first, end) =>
        {
            T[] packed = ArrayPool<T>.Shared.Rent(b.Rows * panelWidth);
            for (int panel = first; panel < end; panel++)
            {
                Pack(b, panel * panelWidth, panelWidth, packed);
                MultiplyPanel(a, packed, b.Columns, panel * panelWidth, c, accumulate);
            }

            ArrayPool<T>.Shared.Return(packed);
        });
        if (copy is not null)
            ArrayPool<T>.Shared.Return(copy);
    }

    private static (Matrix<T> Matrix, T[] Rented) MakeRowMajor<T>(Workers workers, Matrix<T> source)
        where T : unmanaged
    {
        const int Block = 16;
        T[] copy = ArrayPool<T>.Shared.Rent(source.Rows * source.Columns);
        workers.ForRanges((source.Rows + Block - 1) / Block, (first, end) =>
        {
            for (int row0 = first * Block; row0 < Math.Min(end * Block, source.Rows); row0 += Block)
            {
                int rowEnd = Math.Min(row0 + Block, source.Rows);
                for (int column = 0; column < source.Columns; column++)
                {
                    for (int row = row0; row < rowEnd; row++)
                        copy[row * source.Columns + column] = source.Data[row * source.RowStride + column * source.ColumnStride];
                }
            }
        });
        return (new Matrix<T>(copy, source.Rows, source.Columns), copy);
    }

    private static void Pack<T>(Matrix<T> b, int column0, int width, T[] packed)
        where T : unmanaged
    {
        int used = Math.Min(width, b.Columns - column0);
        if (used < width)
            Array.Clear(packed, 0, b.Rows * width);
        if (b.ColumnStride == 1)
        {
            for (int k = 0; k < b.Rows; k++)
                b.Data.AsSpan(k * b.RowStride + column0, used).CopyTo(packed.AsSpan(k * width));
            return;
        }

        for (int j = 0; j < used; j++)
        {
            int source = (column0 + j) * b.ColumnStride;
            for (int k = 0; k < b.Rows; k++)
                packed[k * width + j] = b.Data[source + k * b.RowStride];
        }
    }

    private static void MultiplyPanel<T>(Matrix<T> a, T[] packed, int columns, int column0, T[] c, bool accumulate)
        where T : unmanaged
    {
        int vector = Vector512<T>.Count;
        int used = Math.Min(2 * vector, columns - column0);
        T* edge = stackalloc T[2 * vector];
        fixed (T* aData = a.Data, b = packed, cData = c)
        {
            int row = 0;
            for (; row + TileRows <= a.Rows; row += TileRows)
            {
                T* a0 = aData + row * a.RowStride;
                T* a1 = a0 + a.RowStride;
                T* a2 = a1 + a.RowStride;
                T* a3 = a2 + a.RowStride;
                Vector512<T> c00 = default, c01 = default, c10 = default, c11 = default;
                Vector512<T> c20 = default, c21 = default, c30 = default, c31 = default;
                T* bRow = b;
                for (int k = 0; k < a.Columns; k++, bRow += 2 * vector)
                {
                    Vector512<T> b0 = Vector512.Load(bRow);
                    Vector512<T> b1 = Vector512.Load(bRow + vector);
                    Vector512<T> x = Vector512.Create(a0[k]);
                    c00 = MultiplyAdd(x, b0, c00);
                    c01 = MultiplyAdd(x, b1, c01);
                    x = Vector512.Create(a1[k]);
                    c10 = MultiplyAdd(x, b0, c10);
                    c11 = MultiplyAdd(x, b1, c11);
                    x = Vector512.Create(a2[k]);
                    c20 = MultiplyAdd(x, b0, c20);
                    c21 = MultiplyAdd(x, b1, c21);
                    x = Vector512.Create(a3[k]);
                    c30 = MultiplyAdd(x, b0, c30);
                    c31 = MultiplyAdd(x, b1, c31);
                }

                T* cRow = cData + row * columns + column0;
                Store(cRow, c00, c01, used, accumulate, edge);
                Store(cRow + columns, c10, c11, used, accumulate, edge);
                Store(cRow + 2 * columns, c20, c21, used, accumulate, edge);
                Store(cRow + 3 * columns, c30, c31, used, accumulate, edge);
            }

            for (; row < a.Rows; row++)
            {
                T* a0 = aData + row * a.RowStride;
                Vector512<T> c0 = default, c1 = default;
                for (int k = 0; k < a.Columns; k++)
                {
                    Vector512<T> x = Vector512.Create(a0[k]);
                    c0 = MultiplyAdd(x, Vector512.Load(b + k * 2 * vector), c0);
                    c1 = MultiplyAdd(x, Vector512.Load(b + k * 2 * vector + vector), c1);
                }

                Store(cData + row * columns + column0, c0, c1, used, accumulate, edge);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(T* target, Vector512<T> low, Vector512<T> high, int used, bool accumulate, T* edge)
        where T : unmanaged
    {
        int vector = Vector512<T>.Count;
        if (used == 2 * vector)
        {
            Vector512.Store(accumulate ? Vector512.Load(target) + low : low, target);
            Vector512.Store(accumulate ? Vector512.Load(target + vector) + high : high, target + vector);
            return;
        }

        Vector512.Store(low, edge);
        Vector512.Store(high, edge + vector);
        for (int j = 0; j < used; j++)
            target[j] = accumulate ? Add(target[j], edge[j]) : edge[j];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Add<T>(T x, T y)
        where T : unmanaged => (Vector512.CreateScalarUnsafe(x) + Vector512.CreateScalarUnsafe(y)).ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> MultiplyAdd<T>(Vector512<T> x, Vector512<T> y, Vector512<T> sum)
        where T : unmanaged =>
        typeof(T) == typeof(float)
            ? Vector512.FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), sum.AsSingle()).As<float, T>()
            : Vector512.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), sum.AsDouble()).As<double, T>();
}
