using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>
/// The projections of one model's layers by OpenBLAS, in the engine's order and over the same number of rows. Weights are float32, as it needs them, and
/// taken one after another from a block larger than the caches, so that each is as cold as a model's; one block stands for all, so that a large
/// model does not have to exist in float32.
/// </summary>
internal sealed unsafe class PeerProjections : IDisposable
{
    private const long LeastBlockBytes = 256L << 20;

    private readonly OpenBlas blas = OpenBlas.Load();
    private readonly IReadOnlyList<ProjectionShape> shapes;
    private readonly float* weights, x, y;
    private readonly long weightElements;

    /// <summary>Allocates for up to <paramref name="maxRows"/> rows.</summary>
    /// <exception cref="DeviceException">OpenBLAS is not installed.</exception>
    public PeerProjections(IReadOnlyList<ProjectionShape> shapes, int maxRows)
    {
        this.shapes = shapes;
        weightElements = Math.Max(shapes.Max(shape => shape.Elements), LeastBlockBytes / sizeof(float));
        weights = Filled(weightElements, 0.02f);
        x = Filled((long)maxRows * shapes.Max(shape => shape.Inputs), 1);
        y = Filled((long)maxRows * shapes.Max(shape => shape.Outputs), 0);
    }

    /// <summary>What <see cref="Run"/> computes, by the bytes of float32 weights.</summary>
    public Work Cost(int rows) => new(shapes.Sum(shape => sizeof(float) * shape.Elements), shapes.Sum(shape => 2 * shape.Elements * rows));

    /// <summary>Every projection once.</summary>
    public void Run(int rows)
    {
        long at = 0;
        foreach (ProjectionShape shape in shapes)
        {
            at = at + shape.Elements > weightElements ? 0 : at;
            blas.Multiply(rows, shape.Outputs, shape.Inputs, x, weights + at, y);
            at += shape.Elements;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (nint block in (nint[])[(nint)weights, (nint)x, (nint)y])
        {
            NativeMemory.AlignedFree((void*)block);
        }

        blas.Dispose();
    }

    // Alternating signs keep the sums small; zeros might be cheaper than numbers on some processor.
    private static float* Filled(long elements, float magnitude)
    {
        float* block = (float*)NativeMemory.AlignedAlloc((nuint)(elements * sizeof(float)), 4096);
        for (long i = 0; i < elements; i++)
        {
            block[i] = i % 3 == 0 ? -magnitude : magnitude;
        }

        return block;
    }
}

/// <summary>A weight [outputs, inputs] of a layer.</summary>
/// <param name="Outputs">Outputs.</param>
/// <param name="Inputs">Inputs.</param>
internal readonly record struct ProjectionShape(int Outputs, int Inputs)
{
    public long Elements => (long)Outputs * Inputs;
}
