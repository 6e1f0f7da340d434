using System.Runtime.InteropServices;

namespace DeRa.Models;

/// <summary>A copy of a row-major matrix with zeros behind each row, in native memory.</summary>
internal sealed unsafe class PaddedMatrix : IDisposable
{
    private void* memory;

    /// <param name="source">[rows, rowBytes].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="rowBytes">Bytes of a row.</param>
    /// <param name="stride">Bytes from a row of the copy to the next.</param>
    public PaddedMatrix(nint source, int rows, int rowBytes, int stride)
    {
        memory = NativeMemory.AlignedAlloc((nuint)Math.Max(1, (long)rows * stride), 256);
        byte* target = (byte*)memory;
        Parallel.For(0, rows, row =>
        {
            var line = new Span<byte>(target + ((long)row * stride), stride);
            new ReadOnlySpan<byte>((byte*)source + ((long)row * rowBytes), rowBytes).CopyTo(line);
            line[rowBytes..].Clear();
        });
    }

    /// <summary>[rows, stride].</summary>
    public nint Address => (nint)memory;

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }
}
