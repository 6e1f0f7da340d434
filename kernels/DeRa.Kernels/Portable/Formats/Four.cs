using System.Runtime.InteropServices;

namespace DeRa.Kernels.Portable;

/// <summary>Four consecutive numbers: sixteen bytes, loaded and stored at once.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 16, Size = 16)]
internal struct Four
{
    public float A;
    public float B;
    public float C;
    public float D;
}
