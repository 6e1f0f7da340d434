namespace DeRa.Benchmarks;

/// <summary>What a computation takes from a device at least.</summary>
/// <param name="Bytes">Bytes read from and written to memory, everything that is used several times counted once.</param>
/// <param name="Flops">Floating-point operations, a multiply-add counted as two.</param>
public readonly record struct Work(long Bytes, long Flops)
{
    /// <summary>Both after one another.</summary>
    public static Work operator +(Work left, Work right) => Add(left, right);

    /// <summary>Both after one another.</summary>
    public static Work Add(Work left, Work right) => new(left.Bytes + right.Bytes, left.Flops + right.Flops);
}
