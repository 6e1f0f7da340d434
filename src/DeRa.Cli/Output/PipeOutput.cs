using System.Runtime.InteropServices;

namespace DeRa.Cli.Output;

/// <summary>Whoever read standard output has gone, as <c>head</c> does after its lines: what would follow is wanted by nobody.</summary>
internal sealed class OutputClosedException() : IOException("standard output: its reader has gone");

/// <summary>
/// Standard output into a pipe or socket. The console's own stream, which does the writing, drops what it cannot write to a pipe without readers, and a command would
/// compute to its end for nobody; this one asks first, and throws.
/// </summary>
internal sealed partial class PipeOutput : Stream
{
    private const int StandardOutput = 1;

    // poll's events: an error or the other end's closing. The same numbers on Linux and the BSDs.
    private const short Closed = 0x8 | 0x10;

    private readonly Stream console = Console.OpenStandardOutput();

    /// <inheritdoc />
    public override bool CanRead => false;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override bool CanWrite => true;

    /// <inheritdoc />
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    private static bool HasNoReader
    {
        get
        {
            var output = new PolledFile { Descriptor = StandardOutput };
            return Poll(ref output, 1, 0) > 0 && (output.Found & Closed) != 0;
        }
    }

    /// <summary>Makes it the console's output where that is redirected; Windows keeps the console's stream.</summary>
    public static void Attach()
    {
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
        {
            Console.SetOut(new StreamWriter(new PipeOutput(), Console.OutputEncoding) { AutoFlush = true });
        }
    }

    /// <inheritdoc />
    public override void Flush() => console.Flush();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc />
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (HasNoReader)
        {
            throw new OutputClosedException();
        }

        console.Write(buffer);
    }

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PolledFile files, nuint count, int milliseconds);

    // struct pollfd of poll.h.
    [StructLayout(LayoutKind.Sequential)]
    private struct PolledFile
    {
        public int Descriptor;
        public short Asked;
        public short Found;
    }
}
