using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// How elements of a weight become float32. A dot product takes 16 or 32 elements at a time in two halves; which elements a half holds is the format's
/// choice, and the activations are arranged to match. Addresses need no alignment.
/// </summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Size { get; }

    /// <summary>True if the halves are the even and the odd elements, false if they are the lower and the upper ones.</summary>
    static abstract bool SplitsEvenOdd { get; }

    /// <summary>First half of the 16 elements at <paramref name="block"/>.</summary>
    static abstract Vector256<float> First(byte* block);

    /// <summary>Second half.</summary>
    static abstract Vector256<float> Second(byte* block);

    /// <summary>First half of the 32 elements at <paramref name="block"/>.</summary>
    static abstract Vector512<float> First512(byte* block);

    /// <summary>Second half.</summary>
    static abstract Vector512<float> Second512(byte* block);

    /// <summary>Eight elements in order.</summary>
    static abstract Vector256<float> Load8(byte* source);

    /// <summary>One element.</summary>
    static abstract float Load(byte* source);
}
