namespace DeRa.Kernels.Portable;

/// <summary>
/// A form as a compile-time parameter of kernels. PoCL replicates all that follows a conditional barrier, which a kernel of many steps does not
/// survive; a group of one needs none.
/// </summary>
internal interface IGroupForm
{
    /// <summary>Every member of the group sees what the others wrote before.</summary>
    static abstract void Barrier();
}

/// <summary>Groups of one work-item.</summary>
internal readonly struct SerialForm : IGroupForm
{
    public static void Barrier()
    {
    }
}

/// <summary>Groups of many work-items.</summary>
internal readonly struct CooperativeForm : IGroupForm
{
    public static void Barrier() => GroupBarrier.Wait();
}
