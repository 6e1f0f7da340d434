using System.Runtime.InteropServices;

namespace DeRa.Models;

/// <summary>A copy of a row-major matrix with rows and columns exchanged, in native memory; zeros behind its rows where they are asked for.</summary>
internal sealed unsafe class TransposedMatrix : IDisposable
{
    private const int Tile = 64; // 64 lines of both sides lie in a first-level cache

    private void* memory;

    /// <param name="source">[rows, columns].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="elementSize">2 or 4 bytes.</param>
    /// <param name="stride">Elements from a row of the copy to the next, at least <paramref name="rows"/>.</param>
    public TransposedMatrix(nint source, int rows, int columns, int elementSize, int stride)
    {
        memory = NativeMemory.AlignedAlloc((nuint)Math.Max(1, (long)stride * columns * elementSize), 256);
        if (elementSize == sizeof(ushort)) Transpose((ushort*)source, (ushort*)memory, rows, columns, stride);
        else Transpose((uint*)source, (uint*)memory, rows, columns, stride);
    }

    /// <summary>[columns, stride].</summary>
    public nint Address => (nint)memory;

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    private static void Transpose<T>(T* source, T* target, int rows, int columns, int stride)
        where T : unmanaged =>
        Parallel.For(0, (columns + Tile - 1) / Tile, tile =>
        {
            int endColumn = Math.Min((tile + 1) * Tile, columns);
            for (int column = tile * Tile; column < endColumn; column++)
                new Span<T>(target + ((long)column * stride) + rows, stride - rows).Clear();
            for (int firstRow = 0; firstRow < rows; firstRow += Tile)
            {
                int endRow = Math.Min(firstRow + Tile, rows);
                for (int column = tile * Tile; column < endColumn; column++)
                {
                    for (int row = firstRow; row < endRow; row++)
                        target[((long)column * stride) + row] = source[((long)row * columns) + column];
                }
            }
        });
}
