using System.Globalization;
using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>Says before anything is copied that a device cannot hold the weights, and what it could hold.</summary>
internal static class DeviceMemory
{
    /// <summary>Requires that the weights alone fit. The processor maps them from their files and needs no room of its own.</summary>
    /// <exception cref="DeviceException">They do not; the message has both sizes and what would fit.</exception>
    public static void RequireForWeights(
        DeviceDescription device, Checkpoint reference, Checkpoint? aligned, SharedTensors? shared, DType? weightType)
    {
        long needed = MemoryEstimate.Of(reference, aligned, shared, weightType).WeightBytes;
        if (device.Kind == DeviceKind.Cpu || needed <= device.MemoryBytes)
        {
            return;
        }

        (string What, long Bytes)[] smaller =
        [
            ("both models with --dtype bf16", MemoryEstimate.Of(reference, aligned, shared, DType.BF16).WeightBytes),
            ("the reference alone", MemoryEstimate.Of(reference, weightType: weightType).WeightBytes),
            ("the reference alone with --dtype bf16", MemoryEstimate.Of(reference, weightType: DType.BF16).WeightBytes),
        ];
        string[] fits = [.. smaller.Where(s => s.Bytes <= device.MemoryBytes).Select(s => $"{s.What}: {Size(s.Bytes)}")];
        throw new DeviceException(
            $"{device.Id} ({device.Name}): the weights take {Size(needed)}, the device has {Size(device.MemoryBytes)}. What would fit, caches left out: "
            + (fits.Length == 0 ? "none of these models; --device cpu maps them from their files" : string.Join(", ", fits)));
    }

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB");
}
