using System.IO.MemoryMappedFiles;

namespace DeRa.Checkpoints.Safetensors;

/// <summary>A safetensors file mapped read-only into memory; tensors are pointers into the mapping, never copies.</summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile mapping;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private bool disposed;

    private SafetensorsFile(string path, MemoryMappedFile mapping, MemoryMappedViewAccessor view, long length)
    {
        Path = path;
        this.mapping = mapping;
        this.view = view;
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        start = pointer + view.PointerOffset;
        Length = length;
        try
        {
            // The prefix is checked first so that the span over the JSON never reaches past the file.
            int json = SafetensorsHeader.ReadLength(new ReadOnlySpan<byte>(start, (int)Math.Min(8, length)), length, path);
            Header = SafetensorsHeader.Parse(new ReadOnlySpan<byte>(start, 8 + json), length, path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>Length of the file in bytes.</summary>
    public long Length { get; }

    /// <summary>The checked header.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="CheckpointException">The file cannot be opened or breaks a rule of the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        MemoryMappedFile? mapping = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            // Through the open file, so that a link's target is measured: downloaded checkpoints are often folders of links.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            long length = stream.Length;
            if (length < 8) throw new CheckpointException(path, "header length", "a file of at least 8 bytes", $"{length} bytes");
            mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            return new SafetensorsFile(path, mapping, view, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            view?.Dispose();
            mapping?.Dispose();
            throw new CheckpointException(path, "file", "a readable safetensors file", e.Message, e);
        }
    }

    /// <summary>The first byte of a tensor of this file; valid until <see cref="Dispose"/>. No alignment is promised.</summary>
    public byte* PointerTo(SafetensorsTensor tensor)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return start + Header.DataOffset + tensor.Begin;
    }

    /// <summary>Unmaps the file; every pointer into it becomes invalid.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        mapping.Dispose();
    }
}
