using DeRa.Kernels.Cuda;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>A projection with a bias over random data.</summary>
internal sealed class ManyRows(DType type, int rows, int outputs, int depth)
{
    private readonly float[,] x = new TestData("x").Matrix(rows, depth);
    private readonly HostWeight weight = new TestData("w").Weight(type, outputs, depth), bias = new TestData("b").Weight(type, 1, outputs);

    public float[,] Run(CudaKernelSet on, int start, int count)
    {
        using var bench = new Workbench(on);
        Matrix from = bench.Matrix(x) with { Offset = (long)start * depth, Rows = count }, y = bench.Zeros(count, outputs);
        on.Linear(from, bench.Weight(weight, 0), bench.Weight(bias, 0), y);
        return bench.Read(y);
    }
}
