using DeRa.Engine.Execution;
using DeRa.Kernels;

namespace DeRa.Engine.Speculation;

/// <summary>Lists of row numbers or tokens for one step, uploaded together; each starts at a multiple of 256 bytes, as the contract asks.</summary>
internal sealed class IndexBatch(KernelSet kernels) : IDisposable
{
    private const int Alignment = 64;

    private readonly List<int> staged = [];
    private readonly GrowingBuffer buffer = new(kernels);

    public void Clear() => staged.Clear();

    /// <summary>Adds a list and says where it is.</summary>
    public (int Offset, int Count) Add(params IReadOnlyCollection<int> values)
    {
        int offset = staged.Count;
        staged.AddRange(values);
        while (staged.Count % Alignment != 0)
        {
            staged.Add(0);
        }

        return (offset, values.Count);
    }

    /// <summary>Copies the lists to the device. Not while operations are enqueued.</summary>
    public void Upload() => buffer.Write<int>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(staged));

    public IntVector Vector((int Offset, int Count) list) => new(buffer.Buffer, list.Offset, list.Count);

    public void Dispose() => buffer.Dispose();
}
