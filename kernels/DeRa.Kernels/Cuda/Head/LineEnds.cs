using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Two lines of weights that a lane streams, by the device addresses of their last eight inputs: a load says how many inputs it is from there, and past the end
/// repeats the last, whose activations are zeros.
/// </summary>
internal struct LineEnds
{
    /// <summary>Of a line of a tile's upper half.</summary>
    public long Upper;

    /// <summary>Of one of its lower half.</summary>
    public long Lower;

    /// <summary>The end of the line whose first element it is.</summary>
    public static long Of(ArrayView<ushort> w, long first, int depth) => Address.OfDevice(ref w[first + depth - Fragments.Load]);

    /// <summary>Inputs from this lane's load of the first block to the last eight.</summary>
    public static int Left(int depth) => depth - Fragments.Load - Fragments.Load * Lane.Place;

    /// <summary>The load that is <paramref name="left"/> inputs from the end.</summary>
    public static Quad Stream(long end, int left) => Address.Stream(end - sizeof(ushort) * IntrinsicMath.Max(left, 0));
}
