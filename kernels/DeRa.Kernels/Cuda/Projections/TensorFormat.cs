namespace DeRa.Kernels.Cuda;

/// <summary>A 16-bit storage type as a compile-time parameter of tensor-core kernels.</summary>
internal interface ITensorFormat
{
    /// <summary>D = A·B + C with operands of the type, float32 sums.</summary>
    static abstract Sums Multiply(Sums c, Quad a, uint b0, uint b1);

    /// <summary>sums + a stage of a warpgroup's operands, while the copies of another begin; sm_90a alone.</summary>
    static abstract WarpgroupSums MultiplyStage(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step);

    /// <summary>Sums over stages that other warps copy, by <see cref="WarpgroupRoles"/>; sm_90a alone.</summary>
    static abstract WarpgroupSums MultiplyStages(int ring, int from, int to, int count);

    /// <summary>Two numbers rounded to the type.</summary>
    static abstract uint Pair(float low, float high);
}

/// <summary>bfloat16.</summary>
internal readonly struct TensorBFloat16 : ITensorFormat
{
    public static Sums Multiply(Sums c, Quad a, uint b0, uint b1) => TensorCore.BFloat16(c, a, b0, b1);

    public static WarpgroupSums MultiplyStage(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step) =>
        Warpgroup.BFloat16(sums, w, x, copies, step);

    public static WarpgroupSums MultiplyStages(int ring, int from, int to, int count) => WarpgroupRoles.BFloat16(ring, from, to, count);

    public static uint Pair(float low, float high) => Pairs.BFloat16(low, high);
}

/// <summary>IEEE binary16.</summary>
internal readonly struct TensorFloat16 : ITensorFormat
{
    public static Sums Multiply(Sums c, Quad a, uint b0, uint b1) => TensorCore.Float16(c, a, b0, b1);

    public static WarpgroupSums MultiplyStage(WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step) =>
        Warpgroup.Float16(sums, w, x, copies, step);

    public static WarpgroupSums MultiplyStages(int ring, int from, int to, int count) => WarpgroupRoles.Float16(ring, from, to, count);

    public static uint Pair(float low, float high) => Pairs.Float16(low, high);
}
