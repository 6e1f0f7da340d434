using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Decodes storage types by their bits: no 16-bit float support is asked of the device.</summary>
internal static class WeightBits
{
    public static float BFloat16(ushort bits) => Interop.IntAsFloat((uint)bits << 16);

    /// <summary>Exact for every binary16: subnormals by their integer, since some devices flush binary32 subnormals.</summary>
    public static float Float16(ushort bits)
    {
        int exponent = bits & 0x7c00, fraction = bits & 0x03ff;
        uint sign = (uint)(bits & 0x8000) << 16;
        if (exponent == 0)
        {
            float subnormal = fraction * (1f / 16777216f); // 2⁻²⁴
            return sign == 0 ? subnormal : -subnormal;
        }

        uint magnitude = exponent == 0x7c00
            ? 0x7f800000u | ((uint)fraction << 13)
            : ((uint)(bits & 0x7fff) << 13) + (112u << 23); // the exponent's bias grows from 15 to 127
        return Interop.IntAsFloat(magnitude | sign);
    }

    public static float Float32(ushort low, ushort high) => Interop.IntAsFloat(low | ((uint)high << 16));
}
