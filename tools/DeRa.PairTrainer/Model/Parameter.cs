namespace DeRa.PairTrainer.Model;

/// <summary>A trainable tensor with its gradient.</summary>
/// <param name="Name">Name in the checkpoint.</param>
/// <param name="Shape">Row-major shape, [out, in] for matrices.</param>
internal sealed record Parameter<T>(string Name, int[] Shape)
    where T : unmanaged
{
    /// <summary>The values.</summary>
    public T[] Value { get; } = new T[Shape.Aggregate(1, (x, y) => x * y)];

    /// <summary>d loss / d value, summed over backward passes until cleared.</summary>
    public T[] Gradient { get; } = new T[Shape.Aggregate(1, (x, y) => x * y)];
}
