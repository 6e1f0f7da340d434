namespace DeRa.Kernels.Portable;

/// <summary>Pieces of OpenCL C that several bodies for processors share.</summary>
internal static class SerialText
{
    /// <summary>float s_ = the sum of a vector's lanes, by halves: the one order of all sums over lanes.</summary>
    public static string Fold(string vector, int lanes) => lanes == 16
        ? $"float8 g_ = {vector}.lo + {vector}.hi; float4 h_ = g_.lo + g_.hi; float2 q_ = h_.lo + h_.hi; float s_ = q_.x + q_.y;"
        : $"float4 h_ = {vector}.lo + {vector}.hi; float2 q_ = h_.lo + h_.hi; float s_ = q_.x + q_.y;";
}
