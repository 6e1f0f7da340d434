using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Kernels.Portable;

namespace DeRa.Models.Tests;

/// <summary>Rows of matrices are as far apart on the device as the set asks for, zeros behind them, and the estimate counts those.</summary>
internal sealed class PaddedWeightsTests
{
    // hidden 40 and inner 77; hidden 44, stored [in, out].
    private static readonly string[] Configs = [Variants.Llama(""" "rope_theta": 10000.0 """), Variants.Config("gpt2, unscaled attention, exact gelu")];

    [TestCase("BF16", null)]
    [TestCase("F32", DType.F16)]
    [TestCase("F32", null)]
    public void Rows_of_sixteen_bits_have_zeros_behind_them(string stored, DType? type)
    {
        using var folder = new TinyCheckpoint(Configs[0], dtype: _ => stored);
        using Checkpoint checkpoint = Checkpoint.Open(folder.Path);
        using PaddingSet set = Open();
        using KernelSet plain = new Kernels.Cpu.CpuKernelSet(1);
        using WeightStore store = new(set, weightType: type), dense = new(plain, weightType: type);
        CheckpointTensor tensor = checkpoint.Weights.Layers[0].DownProj; // [40, 77]
        (Weight got, Weight expected) = (store.Matrix(tensor), dense.Matrix(tensor));
        Assert.That((got.Rows, got.Columns, got.RowPadding), Is.EqualTo((40, 77, got.DType == DType.F32 ? 0 : 3)));
        Assert.That(got.ByteLength, Is.EqualTo(got.Buffer.ByteLength).And.EqualTo(store.Bytes));
        CheckRows(set, plain, got, expected, inputMajor: false);
    }

    [Test]
    public void Transposed_matrices_have_them_too()
    {
        using var folder = new TinyCheckpoint(Configs[1], dtype: _ => "F16");
        using Checkpoint checkpoint = Checkpoint.Open(folder.Path);
        using PaddingSet set = Open();
        using KernelSet plain = new Kernels.Cpu.CpuKernelSet(1);
        using WeightStore store = new(set), dense = new(plain);
        CheckpointTensor tensor = checkpoint.Weights.Layers[0].UpProj!; // [44, 176]
        (Weight got, Weight expected) = (store.Matrix(tensor, inputMajor: true), dense.Matrix(tensor, inputMajor: true));
        Assert.That((got.Rows, got.Columns, got.InputMajor, got.RowPadding), Is.EqualTo((176, 44, false, 4)));
        CheckRows(set, plain, got, expected, inputMajor: true);
    }

    [TestCase(0, "BF16", null)]
    [TestCase(0, "F32", DType.F16)]
    [TestCase(1, "F16", null)]
    [TestCase(1, "F32", null)]
    public void The_estimate_is_what_is_stored(int config, string stored, DType? type)
    {
        using var folder = new TinyCheckpoint(Configs[config], dtype: _ => stored);
        using Checkpoint checkpoint = Checkpoint.Open(folder.Path);
        using PaddingSet set = Open();
        using var store = new WeightStore(set, weightType: type);
        _ = Transformer.Load(checkpoint, store);
        long estimate = MemoryEstimate.Of(checkpoint, weightType: type, kernels: set).WeightBytes, tensors = MemoryEstimate.Of(checkpoint, weightType: type).WeightBytes;
        Assert.That(estimate, Is.EqualTo(store.Bytes));
        Assert.That(estimate, (type ?? checkpoint.Weights.Embedding.DType) == DType.F32 ? Is.EqualTo(tensors) : Is.GreaterThan(tensors));
    }

    private static void CheckRows(KernelSet set, KernelSet plain, Weight got, Weight expected, bool inputMajor)
    {
        byte[] stored = Bytes(set, got), original = Bytes(plain, expected);
        int size = got.DType.Size();
        for (int row = 0; row < got.Rows; row++)
        {
            for (int column = 0; column < got.RowStride; column++)
            {
                ReadOnlySpan<byte> element = stored.AsSpan(((row * got.RowStride) + column) * size, size);
                int from = inputMajor ? (column * got.Rows) + row : (row * got.Columns) + column;
                bool isRight = column < got.Columns ? element.SequenceEqual(original.AsSpan(from * size, size)) : element.IndexOfAnyExcept((byte)0) < 0;
                if (!isRight) Assert.Fail($"[{row}, {column}] is {Convert.ToHexString(element)}");
            }
        }
    }

    private static byte[] Bytes(KernelSet set, Weight weight)
    {
        var bytes = new byte[weight.ByteLength];
        set.Read<byte>(weight.Buffer, weight.ByteOffset, bytes);
        return bytes;
    }

    private static PaddingSet Open()
    {
        try
        {
            return new PaddingSet(DeviceContext.Open(DeviceKind.OpenCl, 0));
        }
        catch (DeviceException e)
        {
            Absent.Skip($"device opencl is not on this machine: {e.Message}");
            throw;
        }
    }

    /// <summary>Asks for what CUDA's tensor cores ask for; nothing is computed.</summary>
    private sealed class PaddingSet(DeviceContext device) : PortableKernelSet(device)
    {
        public override bool PrefersOutputMajor(DType weights, int inputs) => true;

        public override int RowStride(DType weights, int inputs) => weights == DType.F32 ? inputs : (inputs + 7) / 8 * 8;
    }
}
