using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Float32 multiply-adds on registers, eight independent chains: what a device's multipliers give. x ← x/2 + 1/2 stays at 1: no denormals.</summary>
internal static class FmaProbeKernel
{
    /// <summary>Multiply-adds of a work-item in one round.</summary>
    public const int PerRound = 4 * Chains;

    /// <summary>What a work-item leaves: the chains' sum.</summary>
    public const float Expected = Chains;

    private const int Chains = 8;

    public static void Run(FmaProbeArgs args)
    {
        float h = args.Half, start = 2f * h;
        var x = new Eight { A = start, B = start, C = start, D = start, E = start, F = start, G = start, H = start };
        for (int round = 0; round < args.Rounds; round++)
        {
            x = Step(Step(Step(Step(x, h), h), h), h);
        }

        args.Sums[(long)Grid.IdxX * Group.DimX + Group.IdxX] = Eight.Sum(x, 0f);
    }

    private static Eight Step(Eight x, float h) => new()
    {
        A = x.A * h + h,
        B = x.B * h + h,
        C = x.C * h + h,
        D = x.D * h + h,
        E = x.E * h + h,
        F = x.F * h + h,
        G = x.G * h + h,
        H = x.H * h + h,
    };
}

/// <summary>Arguments of <see cref="FmaProbeKernel"/>; Half is 0.5, of which no compiler knows.</summary>
internal struct FmaProbeArgs
{
    public float Half;
    public int Rounds;

    /// <summary>One for each work-item.</summary>
    public ArrayView<float> Sums;
}
