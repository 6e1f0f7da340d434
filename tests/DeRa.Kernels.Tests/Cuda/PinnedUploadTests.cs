using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;
using ILGPU.Runtime;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>What goes through the two page-locked buffers arrives whole, whatever its length and what came before it.</summary>
public sealed unsafe class PinnedUploadTests
{
    private const int Chunk = 1000;

    [Test]
    public void Every_length_arrives_and_nothing_past_it_is_touched()
    {
        using DeviceContext device = DeviceContext.Emulate(2);
        using var launcher = new KernelLauncher(device);
        using var upload = new PinnedUpload(device.Accelerator, launcher, Chunk);
        int[] lengths = [0, 1, 3, 255, Chunk - 1, Chunk, Chunk + 1, (2 * Chunk) - 1, 2 * Chunk, (3 * Chunk) + 17, (7 * Chunk) + 123, 5];
        var random = new Random(1);
        byte[][] sources = [.. lengths.Select(length => { var bytes = new byte[length]; random.NextBytes(bytes); return bytes; })];
        MemoryBuffer1D<byte, ILGPU.Stride1D.Dense>[] targets = [.. lengths.Select(length => device.Accelerator.Allocate1D<byte>(length + 64))];
        for (int i = 0; i < lengths.Length; i++)
        {
            targets[i].View.BaseView.MemSet(launcher.Stream, 0xAB);
            byte[] source = [.. sources[i], 0]; // an empty array has no address
            fixed (byte* first = source)
            {
                upload.Copy(first, lengths[i], targets[i].View.BaseView);
            }

            Array.Fill(source, (byte)0x55); // the source may change once the call has returned
        }

        launcher.Synchronize();
        for (int i = 0; i < lengths.Length; i++)
        {
            byte[] arrived = targets[i].GetAsArray1D(launcher.Stream);
            Assert.That(arrived[..lengths[i]], Is.EqualTo(sources[i]), $"{lengths[i]} bytes");
            Assert.That(arrived[lengths[i]..], Is.All.EqualTo((byte)0xAB), $"past {lengths[i]} bytes");
            targets[i].Dispose();
        }
    }

    /// <summary>Several threads fill a buffer of the real size, in parts of which the last is short.</summary>
    [Test]
    public void Buffers_of_the_real_size_are_filled_whole()
    {
        using DeviceContext device = DeviceContext.Emulate(2);
        using var launcher = new KernelLauncher(device);
        using var upload = new PinnedUpload(device.Accelerator, launcher);
        var source = new byte[(2 * PinnedUpload.DefaultChunk) + (3 << 20) + 12345];
        new Random(2).NextBytes(source);
        using MemoryBuffer1D<byte, ILGPU.Stride1D.Dense> target = device.Accelerator.Allocate1D<byte>(source.Length);
        fixed (byte* first = source)
        {
            upload.Copy(first, source.Length, target.View.BaseView);
        }

        Assert.That(target.GetAsArray1D(launcher.Stream).AsSpan().SequenceEqual(source), Is.True);
    }
}
