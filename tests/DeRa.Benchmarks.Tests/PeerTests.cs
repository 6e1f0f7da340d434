using DeRa.Kernels;
using DeRa.Kernels.Cpu;
using DeRa.Models;

namespace DeRa.Benchmarks.Tests;

/// <summary>OpenBLAS beside prefill; skipped by name where it is not installed.</summary>
public sealed unsafe class PeerTests
{
    [Test]
    public void The_product_is_x_times_the_transpose_of_w()
    {
        using OpenBlas blas = Load();
        float[] x = [1, 2, 3, 4, 5, 6], w = [1, 0, 2, -1, 3, 1], y = new float[4];
        fixed (float* px = x, pw = w, py = y)
        {
            blas.Multiply(2, 2, 3, px, pw, py);
        }

        Assert.That(y, Is.EqualTo(new float[] { 7, 8, 16, 17 }));
        Assert.That(blas.Description, Does.Contain("OpenBLAS").And.Contain($"{Environment.ProcessorCount} threads"));
    }

    [Test]
    public void It_computes_the_operations_of_one_models_projections_in_a_mode_of_its_own()
    {
        Load().Dispose();
        var options = new BenchmarkOptions { Workloads = ["prefill"], PromptLengths = [7, 530], OpenBlasPeer = true };
        using var kernels = new CpuKernelSet(2);
        using PairFolders pair = PairFolders.Random(CostTests.Tiny);
        IReadOnlyList<Measurement>[] cases = [.. new Benchmark(new PairDevices(kernels, kernels), pair, new DeviceCeilings(1e10, 1e11, "given"), options).Run()];
        foreach ((IReadOnlyList<Measurement> measurements, int tokens) in cases.Zip([7, 530]))
        {
            Measurement peer = measurements.Single(m => m.Mode == Mode.OpenBlas);
            Assert.That(peer.Flops, Is.EqualTo(2L * tokens * CostTests.TinyLayers));
            Assert.That(peer.ShareOfPeer, Is.Null);
            foreach (Measurement other in measurements.Where(m => m != peer))
            {
                Assert.That(other.ShareOfPeer, Is.EqualTo(other.FlopsPerSecond / peer.FlopsPerSecond).Within(1e-9).Percent);
            }
        }

        string[] lines = [.. FigureTable.PeerVerdicts([.. cases.SelectMany(list => list)])];
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(lines[1], Does.StartWith("single does ").And.EndWith("tokens 530"));
    }

    private static OpenBlas Load()
    {
        try
        {
            return OpenBlas.Load();
        }
        catch (DeviceException e)
        {
            Absent.Skip(e.Message);
            throw;
        }
    }
}
