using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Kernels.Portable;

namespace DeRa.Models.Tests;

/// <summary>Input-major matrices are transposed on their way to a set that asks for it, and the model computes what it did.</summary>
internal sealed class TransposedWeightsTests
{
    [TestCase(null)]
    [TestCase(DType.F16)]
    public void Rows_and_columns_are_exchanged(DType? type)
    {
        using OutputMajorSet set = Open();
        using Checkpoint checkpoint = Checkpoint.Open(new GoldenCase("gpt2").SideFolder("ref"));
        using WeightStore store = new(set, weightType: type), plain = new(set, weightType: type);
        CheckpointTensor tensor = checkpoint.Weights.Layers[0].UpProj!; // [hidden, 4 · hidden]
        (Weight transposed, Weight kept) = (store.Matrix(tensor, inputMajor: true), plain.Matrix(tensor)); // the latter as it lies in the file
        Assert.That((transposed.Rows, transposed.Columns, transposed.InputMajor), Is.EqualTo((kept.Columns, kept.Rows, false)));
        int size = transposed.DType.Size();
        byte[] got = Bytes(transposed), expected = Bytes(kept);
        for (int i = 0; i < got.Length; i++)
        {
            int element = i / size, row = element / transposed.Columns, column = element % transposed.Columns;
            int from = (((column * kept.Columns) + row) * size) + (i % size);
            if (got[i] != expected[from]) Assert.Fail($"[{row}, {column}]: byte {i % size} is {got[i]}, expected {expected[from]}");
        }

        byte[] Bytes(Weight weight)
        {
            var bytes = new byte[weight.ByteLength];
            set.Read<byte>(weight.Buffer, 0, bytes);
            return bytes;
        }
    }

    [Test]
    public void Gpt2_computes_its_logits_from_transposed_matrices()
    {
        using OutputMajorSet set = Open();
        var golden = new GoldenCase("gpt2");
        using var model = new SingleModel(set, golden.SideFolder("ref"));
        GoldenSequence sequence = golden.Sequences.Last();
        Close.Within(GoldenCase.LogitTolerance, model.Logits(sequence.InputIds), golden.Logits(sequence.Id, "ref"), "gpt2");
        Assert.That(set.InputMajor, Is.Zero);
        Assert.That(set.OutputMajor, Is.Positive);
    }

    private static OutputMajorSet Open()
    {
        try
        {
            return new OutputMajorSet(DeviceContext.Open(DeviceKind.OpenCl, 0));
        }
        catch (DeviceException e)
        {
            Absent.Skip($"device opencl is not on this machine: {e.Message}");
            throw;
        }
    }

    private sealed class OutputMajorSet(DeviceContext device) : PortableKernelSet(device)
    {
        public int InputMajor { get; private set; }

        public int OutputMajor { get; private set; }

        public override bool PrefersOutputMajor(DType weights, int inputs) => true;

        protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
        {
            if (w.InputMajor) InputMajor++;
            else OutputMajor++;
            base.EnqueueLinear(x, w, bias, y, accumulate);
        }
    }
}
