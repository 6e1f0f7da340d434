using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Products of 16 × 16 by 16 × 8 ones in binary16 with float32 sums, eight independent chains for each warp: what mma.sync, by which the set's kernels
/// reach the tensor cores, gives.
/// </summary>
internal static class TensorProbeKernel
{
    /// <summary>Operations of a warp in one round, a multiply-add counted as two.</summary>
    public const long FlopsPerRound = Chains * 2L * 16 * 16 * 8;

    /// <summary>What a work-item leaves for each round: 16 in each of its four sums of every chain.</summary>
    public const int ExpectedPerRound = Chains * 4 * 16;

    private const int Chains = 8;

    public static void Run(TensorProbeArgs args)
    {
        uint one = args.Ones;
        var a = new Quad { X = one, Y = one, Z = one, W = one };
        Sums s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (int round = 0; round < args.Rounds; round++)
        {
            s0 = TensorCore.Float16(s0, a, one, one);
            s1 = TensorCore.Float16(s1, a, one, one);
            s2 = TensorCore.Float16(s2, a, one, one);
            s3 = TensorCore.Float16(s3, a, one, one);
            s4 = TensorCore.Float16(s4, a, one, one);
            s5 = TensorCore.Float16(s5, a, one, one);
            s6 = TensorCore.Float16(s6, a, one, one);
            s7 = TensorCore.Float16(s7, a, one, one);
        }

        Sums sum = Sums.Add(Sums.Add(Sums.Add(s0, s1), Sums.Add(s2, s3)), Sums.Add(Sums.Add(s4, s5), Sums.Add(s6, s7)));
        args.Results[(long)Grid.IdxX * Group.DimX + Group.IdxX] = sum.A + sum.B + (sum.C + sum.D);
    }
}

/// <summary>Arguments of <see cref="TensorProbeKernel"/>; Ones is two ones in binary16.</summary>
internal struct TensorProbeArgs
{
    public uint Ones;
    public int Rounds;

    /// <summary>One for each work-item.</summary>
    public ArrayView<float> Results;
}
