using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>How element-wise kernels divide a matrix: a group takes <see cref="Chunk"/> columns of one row, neighbours adjacent elements.</summary>
internal static class Elementwise
{
    public const int Chunk = 1024;

    /// <summary>Groups for a matrix.</summary>
    public static long Groups(int rows, int columns) => (long)rows * ((columns + Chunk - 1) / Chunk);

    /// <summary>The row of this group.</summary>
    public static int Row(int columns) => Grid.IdxX / ((columns + Chunk - 1) / Chunk);

    /// <summary>The first column of this work-item.</summary>
    public static int First(int columns) => Grid.IdxX % ((columns + Chunk - 1) / Chunk) * Chunk + Group.IdxX;

    /// <summary>The end of this group's columns.</summary>
    public static int End(int columns) =>
        IntrinsicMath.Min((Grid.IdxX % ((columns + Chunk - 1) / Chunk) + 1) * Chunk, columns);
}
