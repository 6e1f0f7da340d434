using Microsoft.Win32.SafeHandles;

namespace DeRa.Cli.Output;

/// <summary>Whoever read standard output has gone, as <c>head</c> does after its lines: what would follow is wanted by nobody.</summary>
internal sealed class OutputClosedException(IOException inner) : IOException(inner.Message, inner);

/// <summary>
/// Standard output into a pipe. The console's own stream drops what it cannot write to a pipe without readers, and a command would compute to its
/// end for nobody; this one throws.
/// </summary>
internal sealed class PipeOutput : Stream
{
    // The numbers of errno that .NET hands on: EPIPE of Linux and of the BSDs.
    private const int BrokenPipe = 32;
    private const int StandardOutput = 1;

    private readonly FileStream pipe;

    private PipeOutput(FileStream pipe) => this.pipe = pipe;

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

    /// <summary>Makes it the console's output where that is a pipe. Files and terminals keep the console's stream, and so does Windows.</summary>
    public static void Attach()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
        {
            return;
        }

        var stream = new FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        if (!stream.CanSeek)
        {
            Console.SetOut(new StreamWriter(new PipeOutput(stream), Console.OutputEncoding) { AutoFlush = true });
        }
    }

    /// <inheritdoc />
    public override void Flush() => pipe.Flush();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc />
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            pipe.Write(buffer);
        }
        catch (IOException exception) when (exception.HResult == BrokenPipe)
        {
            throw new OutputClosedException(exception);
        }
    }

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();
}
