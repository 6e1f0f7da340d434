using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// A gain, bias or table row of any storage type, for operations whose time does not hang on it: the type is looked at for every eight elements.
/// </summary>
internal readonly unsafe struct WeightVector(byte* address, DType type)
{
    private readonly byte* address = address;
    private readonly DType type = type;

    /// <summary>Whether there is a vector at all.</summary>
    public bool IsPresent => address != null;

    /// <summary>Row <paramref name="index"/> of a table of such vectors of <paramref name="columns"/> elements.</summary>
    public WeightVector Row(long index, int columns) => new(address + index * columns * type.Size(), type);

    /// <summary>Elements from <paramref name="index"/> on: eight, or <paramref name="count"/> and zeros when that is less.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load(int index, int count)
    {
        if (count < Lanes.Count)
        {
            return LoadPart(index, count);
        }

        return type switch
        {
            DType.BF16 => BFloat16.Load8(address + 2L * index),
            DType.F16 => Binary16.Load8(address + 2L * index),
            _ => Binary32.Load8(address + 4L * index),
        };
    }

    /// <summary>One element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(int index) => type switch
    {
        DType.BF16 => BFloat16.Load(address + 2L * index),
        DType.F16 => Binary16.Load(address + 2L * index),
        _ => Binary32.Load(address + 4L * index),
    };

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Vector256<float> LoadPart(int index, int count)
    {
        float* eight = stackalloc float[Lanes.Count];
        for (int i = 0; i < Lanes.Count; i++)
        {
            eight[i] = i < count ? Load(index + i) : 0;
        }

        return Vector256.Load(eight);
    }
}
