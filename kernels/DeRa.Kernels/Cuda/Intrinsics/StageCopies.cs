namespace DeRa.Kernels.Cuda;

/// <summary>
/// Where one of 256 work-items copies from, for every stage of a warpgroup's operands: addresses in device memory of its pieces of the first 64 inputs;
/// those of the next 64 follow them. Weights come in pieces of eight bytes from lines 16 apart, activations in pieces of sixteen from rows 32 apart.
/// </summary>
internal struct StageCopies
{
    public long W0;
    public long W1;
    public long W2;
    public long W3;
    public long W4;
    public long W5;
    public long W6;
    public long W7;
    public long X0;
    public long X1;
    public long X2;
    public long X3;
}

/// <summary>One stage's copies by a work-item: how far along the inputs, and where to.</summary>
internal struct StageStep
{
    /// <summary>Bytes from the addresses of <see cref="StageCopies"/> to this stage's weights.</summary>
    public long Weights;

    /// <summary>The same for activations.</summary>
    public long Activations;

    /// <summary>Shared address of the work-item's piece of the first line of weights.</summary>
    public int ToWeights;

    /// <summary>The same of the first row of activations.</summary>
    public int ToActivations;

    /// <summary>Eight where the pieces of weights of the first 64 inputs exist, 0 for zeros.</summary>
    public int First;

    /// <summary>The same for the next 64.</summary>
    public int Second;
}
