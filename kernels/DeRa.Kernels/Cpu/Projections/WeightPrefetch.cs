using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>What is asked of memory before it is read. Processors other than x86 are left to their own prefetchers.</summary>
internal static unsafe class WeightPrefetch
{
    /// <summary>Where the processor's prefetchers stop.</summary>
    public const int PageBytes = 4 * 1024;

    // A panel is one stream to memory, whatever rows of it a tile reads side by side: lines are asked for in order, this far ahead of the next
    // tile, into the second-level cache. Measured: 24–29 GB/s, where asking for the same column of the next tile gave 17–25 (docs/decisions/0013).
    private const int PanelAhead = 32 * 1024;

    private const int StreamAhead = 4 * 1024; // bytes of each stream
    private const int LineBytes = 64;

    /// <summary>The first line to ask for while a tile is taken that begins at an address.</summary>
    public static byte* After(byte* tile, long tileBytes) => tile + tileBytes + PanelAhead;

    /// <summary>Asks for the lines of [address, address + bytes) and returns its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Lines(byte* address, int bytes)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(address);
            if (bytes > LineBytes)
            {
                Sse.Prefetch1(address + LineBytes);
            }

            if (bytes > 2 * LineBytes)
            {
                Sse.Prefetch1(address + 2 * LineBytes);
            }

            if (bytes > 3 * LineBytes)
            {
                Sse.Prefetch1(address + 3 * LineBytes);
            }

            if (bytes > 4 * LineBytes)
            {
                Sse.Prefetch1(address + 4 * LineBytes);
                Sse.Prefetch1(address + 5 * LineBytes);
                Sse.Prefetch1(address + 6 * LineBytes);
                Sse.Prefetch1(address + 7 * LineBytes);
            }
        }

        return address + bytes;
    }

    /// <summary>
    /// Asks for a block ahead in each of four streams: with two rows there is too much to compute for the processor to look ahead far enough by itself.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Streams(byte* w, long distance, int blockBytes)
    {
        w += StreamAhead;
        Lines(w, blockBytes);
        Lines(w + distance, blockBytes);
        Lines(w + 2 * distance, blockBytes);
        Lines(w + 3 * distance, blockBytes);
    }

    /// <summary>
    /// Asks for the beginning of every page that begins in the next weight row of each stream: with it comes the page's address, and the prefetchers, which stop
    /// at a page's end, find the way on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pages(byte* w, long distance, long rowBytes, int streams)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        for (int stream = 0; stream < streams; stream++, w += distance)
        {
            for (byte* page = (byte*)(((nint)w + PageBytes - 1) & -PageBytes); page < w + rowBytes; page += PageBytes)
            {
                Sse.Prefetch1(page);
            }
        }
    }
}
