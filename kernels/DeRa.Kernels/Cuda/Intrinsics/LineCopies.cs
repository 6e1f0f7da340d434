using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// What a work-item copies of an operand into stages of shared memory that hold blocks as <see cref="Fragments"/> has them: four neighbours share a line, sixteen
/// bytes each, of two lines that are as many apart as the group has such fours. Addresses are taken once; a stage adds how far along it is.
/// </summary>
internal struct LineCopies
{
    /// <summary>Device address of the piece of the first line.</summary>
    public long First;

    /// <summary>The same of the second.</summary>
    public long Second;

    /// <summary>Shared address where the first goes in the first stage.</summary>
    public int To;

    /// <summary>First of this work-item's lines.</summary>
    public static int Line => Group.IdxX >> 2;

    /// <summary>First input of its pieces in a block.</summary>
    public static int Input => Fragments.Load * (Group.IdxX & (Fragments.Loads - 1));

    /// <summary>Begins the copies of a block; zeros past the inputs.</summary>
    /// <param name="stage">Bytes from the first stage.</param>
    /// <param name="along">Bytes along the lines from where the addresses were taken.</param>
    /// <param name="left">Inputs that there are from the piece on.</param>
    /// <param name="groupSize">Work-items of the group.</param>
    public readonly void Begin(int stage, long along, int left, int groupSize)
    {
        Address.Copy(To + stage, First + along, left);
        Address.Copy(To + stage + Fragments.LoadBytes * groupSize, Second + along, left);
    }
}
