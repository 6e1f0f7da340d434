using System.Globalization;

namespace DeRa.Kernels.Cuda;

/// <summary>A projection to compare two kernels by.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Outputs">Outputs.</param>
/// <param name="Depth">Inputs.</param>
/// <param name="IsSplit">Whether every segment of the inputs has groups of its own; else a group adds all of them up.</param>
internal readonly record struct ProductShape(int Rows, int Outputs, int Depth, bool IsSplit)
{
    /// <summary>Columns and rows beside the results, which no kernel may touch.</summary>
    public const int Margin = 8;

    /// <summary>Elements from a row of results to the next.</summary>
    public int Stride => Outputs + Margin;

    /// <summary>Elements of the results and what is beside them.</summary>
    public int Length => (Rows + 1) * Stride;

    /// <inheritdoc />
    public override string ToString() => $"[{Rows}, {Depth}] to {Outputs}";
}

/// <summary>
/// Operands that tell two roundings apart, and the verdict. How a tensor core aligns, cuts off and rounds what it adds up is not documented, so whether wgmma's
/// products have the bits of mma.sync's can only be seen on the device. Rows and lines are of five kinds in turn, so that each kind of one meets each of the other.
/// </summary>
internal static class ProductComparison
{
    /// <summary>
    /// A bit pattern of results that nothing has written: a NaN that no arithmetic gives.
    /// </summary>
    public const uint Untouched = 0x7fc0dead;

    // Numbers of the same size; of any size; pairs that cancel; subnormal ones and zeros; the largest ones, among them infinities.
    private const int Kinds = 5, Wide = 1, Cancelling = 2, Tiny = 3, Huge = 4;

    /// <summary>Several tiles with ragged edges, six segments, by both ways of adding them up; and less than a tile of less than a stage.</summary>
    public static IReadOnlyList<ProductShape> Shapes { get; } = [new(146, 200, 1288, true), new(146, 200, 1288, false), new(33, 72, 40, false)];

    /// <summary>[rows, depth] numbers of the type.</summary>
    public static float[] Activations(DType type, ProductShape shape)
    {
        var random = new Random(shape.Rows);
        var values = new float[shape.Rows * shape.Depth];
        for (int i = 0; i < values.Length; i++)
        {
            int kind = i / shape.Depth % Kinds;
            values[i] = kind == Cancelling && i % 2 == 1 ? -Value(type, Next(Bits(type, values[i - 1]), random))
                : kind == Huge && random.Next(256) == 0 ? float.NegativeInfinity
                : Value(type, Number(type, kind, random));
        }

        return values;
    }

    /// <summary>[outputs, depth] numbers of the type, finite.</summary>
    public static ushort[] Weights(DType type, ProductShape shape)
    {
        var random = new Random(shape.Outputs);
        var values = new ushort[shape.Outputs * shape.Depth];
        for (int i = 0; i < values.Length; i++)
        {
            int kind = i / shape.Depth / 3 % Kinds;
            values[i] = kind == Cancelling && i % 2 == 1 ? values[i - 1] : Number(type, kind, random);
        }

        return values;
    }

    /// <summary>[rows, depth] numbers of about one size, to measure with: a stretch of random ones again and again, because so many take a second.</summary>
    public static float[] PlainActivations(DType type, ProductShape shape) =>
        [.. Repeated(type, shape.Rows * shape.Depth).Select(bits => Value(type, bits))];

    /// <summary>[outputs, depth] of the same.</summary>
    public static ushort[] PlainWeights(DType type, ProductShape shape) => Repeated(type, shape.Outputs * shape.Depth);

    /// <summary>What tells the results apart, of the first element that does; null where all bits are the same.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="expected">By mma.sync.</param>
    /// <param name="got">By a form of wgmma.</param>
    public static string? Difference(ProductShape shape, ReadOnlySpan<uint> expected, ReadOnlySpan<uint> got)
    {
        for (int i = 0; i < shape.Length; i++)
        {
            (int row, int output) = (i / shape.Stride, i % shape.Stride);
            bool exists = row < shape.Rows && output < shape.Outputs;
            if (exists && expected[i] == Untouched)
            {
                return "the device computed nothing to compare with";
            }

            bool areNaN = float.IsNaN(BitConverter.UInt32BitsToSingle(expected[i])) && float.IsNaN(BitConverter.UInt32BitsToSingle(got[i]));
            if (expected[i] != got[i] && !(exists && areNaN && got[i] != Untouched))
            {
                return string.Create(CultureInfo.InvariantCulture, $"{shape}, element [{row}, {output}]: bits {got[i]:x8}, by mma.sync {expected[i]:x8}");
            }
        }

        return null;
    }

    private static ushort[] Repeated(DType type, int count)
    {
        const int Stretch = 65_537; // no multiple of a row
        var random = new Random(count);
        var values = new ushort[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = i < Stretch ? Number(type, 0, random) : values[i - Stretch];
        }

        return values;
    }

    private static ushort Number(DType type, int kind, Random random)
    {
        (int mantissaBits, int bias, int wide) = type == DType.BF16 ? (7, 127, 40) : (10, 15, 13);
        int exponent = kind switch
        {
            Wide => bias + random.Next(-wide, wide + 1),
            Tiny => 0,
            Huge => (2 * bias) - random.Next(2),
            _ => bias - 1 - random.Next(3),
        };
        return (ushort)((random.Next(2) << 15) | (exponent << mantissaBits) | random.Next(1 << mantissaBits));
    }

    // The same number, or now and then its neighbour.
    private static ushort Next(ushort bits, Random random) => (ushort)(bits ^ (random.Next(8) == 0 ? 1 : 0));

    private static float Value(DType type, ushort bits) =>
        type == DType.BF16 ? BitConverter.UInt32BitsToSingle((uint)bits << 16) : (float)BitConverter.UInt16BitsToHalf(bits);

    private static ushort Bits(DType type, float value) =>
        type == DType.BF16 ? (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16) : BitConverter.HalfToUInt16Bits((Half)value);
}
