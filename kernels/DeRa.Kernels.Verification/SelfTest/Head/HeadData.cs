namespace DeRa.Kernels.Verification;

/// <summary>One side of a head on the host, with its logits by the oracle.</summary>
internal sealed record HeadSide(float[,] Hidden, HostWeight Output, HostWeight? Bias, float? SoftCap)
{
    public static HeadSide Random(TestData data, HeadShape shape, int width, HostWeight? shared = null) => new(
        data.Matrix(shape.Rows, width),
        shared ?? data.Weight(shape.DType, shape.Vocabulary + shape.Padding, width, deviation: shape.Deviation / Math.Sqrt(width)),
        shape.Bias ? data.Weight(shape.DType, 1, shape.Vocabulary + shape.Padding) : null,
        shape.SoftCap);

    public Expected Logits(int vocabulary) =>
        LogitsOracle.Compute(Doubles.From(Hidden), Output.Values, Bias?.Vector, SoftCap, vocabulary);

    /// <summary>Uploads; a shared projection is uploaded once and passed as <paramref name="output"/>.</summary>
    public HeadModel Upload(Workbench bench, Weight? output = null) =>
        new(bench.Strided(Hidden), output ?? bench.Weight(Output, 0), bench.Weight(Bias), SoftCap);
}

/// <summary>What the head is run on.</summary>
/// <param name="DType">Of weights and biases.</param>
/// <param name="Rows">Hidden states.</param>
/// <param name="Vocabulary">Tokens to draw from.</param>
/// <param name="ReferenceWidth">Hidden width; 0 leaves the model out, and λ is 1.</param>
/// <param name="AlignedWidth">Hidden width; 0 leaves the model out, and λ is 0.</param>
internal sealed record HeadShape(DType DType, int Rows, int Vocabulary, int ReferenceWidth, int AlignedWidth)
{
    /// <summary>Standard deviation of the logits.</summary>
    public double Deviation { get; init; } = 3;

    /// <summary>Rows of the output projection past the vocabulary.</summary>
    public int Padding { get; init; }

    public bool Bias { get; init; }

    public float? SoftCap { get; init; }

    /// <summary>Both models have the same output projection.</summary>
    public bool Shared { get; init; }

    public bool Statistics { get; init; } = true;

    public override string ToString() =>
        $"{DType} [{Rows}, {Vocabulary}], widths {ReferenceWidth} and {AlignedWidth}"
        + (Shared ? ", shared output" : "") + (Bias ? ", bias" : "") + (SoftCap is { } cap ? $", soft cap {cap}" : "")
        + (Padding > 0 ? $", {Padding} padding rows" : "") + (Statistics ? "" : ", no statistics") + (Deviation == 3 ? "" : $", z ~ {Deviation}");
}

/// <summary>Both sides of a head, the rows to draw, and the exact mixture.</summary>
internal sealed class HeadData
{
    public HeadData(HeadShape shape, HeadSide? reference, HeadSide? aligned, HeadRow[] rows, TokenAdjustment[] adjustments)
    {
        (Shape, Reference, Aligned, Rows, Adjustments) = (shape, reference, aligned, rows, adjustments);
        ReferenceLogits = reference?.Logits(shape.Vocabulary);
        AlignedLogits = aligned?.Logits(shape.Vocabulary);
        Mixture = InterpolateOracle.Compute(ReferenceLogits, AlignedLogits, [.. rows.Select(r => (double)r.Lambda)]);
    }

    public HeadShape Shape { get; }

    public HeadSide? Reference { get; }

    public HeadSide? Aligned { get; }

    public HeadRow[] Rows { get; }

    public TokenAdjustment[] Adjustments { get; }

    public Expected? ReferenceLogits { get; }

    public Expected? AlignedLogits { get; }

    public Expected Mixture { get; }

    public static HeadData Random(TestData data, HeadShape shape, HeadRow[] rows, TokenAdjustment[] adjustments)
    {
        HeadSide? reference = shape.ReferenceWidth > 0 ? HeadSide.Random(data, shape, shape.ReferenceWidth) : null;
        HeadSide? aligned = shape.AlignedWidth > 0
            ? HeadSide.Random(data, shape, shape.AlignedWidth, shape.Shared ? reference!.Output : null)
            : null;
        return new HeadData(shape, reference, aligned, rows, adjustments);
    }

    /// <summary>The same with hidden states that the set under test multiplies as they are, see <see cref="Trial.Operand"/>.</summary>
    public HeadData For(Trial trial)
    {
        HeadSide? reference = Rounded(Reference), aligned = Rounded(Aligned);
        return ReferenceEquals(reference, Reference) && ReferenceEquals(aligned, Aligned)
            ? this
            : new HeadData(Shape, reference, aligned, Rows, Adjustments);

        HeadSide? Rounded(HeadSide? side) => side is not null && trial.Operand(side.Hidden, side.Output) is { } hidden && hidden != side.Hidden
            ? side with { Hidden = hidden }
            : side;
    }

    public (HeadModel? Reference, HeadModel? Aligned) Upload(Workbench bench)
    {
        HeadModel? reference = Reference?.Upload(bench);
        return (reference, Aligned?.Upload(bench, Shape.Shared ? reference!.Output : null));
    }

    public IReadOnlyList<TokenAdjustment> AdjustmentsOf(HeadRow row) =>
        new ArraySegment<TokenAdjustment>(Adjustments, row.AdjustmentStart, row.AdjustmentCount);

    /// <summary>One row of an array [rows, vocab].</summary>
    public static double[] Row(double[,] values, int row)
    {
        var line = new double[values.GetLength(1)];
        Buffer.BlockCopy(values, sizeof(double) * row * line.Length, line, 0, sizeof(double) * line.Length);
        return line;
    }
}
