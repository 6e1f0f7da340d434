namespace DeRa.Kernels.Cpu;

/// <summary>How the weight rows of a tile lie in memory, as a compile-time parameter (docs/decisions/0020-four-streams-for-few-rows.md).</summary>
internal interface IWeightPath
{
    /// <summary>
    /// Whether the next tile lies behind this one: then its lines are asked for in order of address. Otherwise each weight row of a tile is in a stream of its
    /// own, which the processor's prefetchers follow by themselves, or with a little help.
    /// </summary>
    static abstract bool IsOneStream { get; }
}

/// <summary>Tiles of neighbouring weight rows.</summary>
internal readonly struct OneStream : IWeightPath
{
    public static bool IsOneStream => true;
}

/// <summary>Tiles of weight rows far apart.</summary>
internal readonly struct FarStreams : IWeightPath
{
    public static bool IsOneStream => false;
}
