namespace DeRa.Kernels.Portable;

/// <summary>How the portable kernels divide work among work-items.</summary>
public enum KernelForm
{
    /// <summary>One work-item per group, a range of outputs each, SIMD inside: for processors.</summary>
    Serial,

    /// <summary>128 work-items per group, adjacent ones on adjacent memory, partial sums meeting in shared memory: for GPUs.</summary>
    Cooperative,
}
