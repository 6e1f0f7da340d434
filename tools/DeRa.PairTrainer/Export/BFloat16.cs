namespace DeRa.PairTrainer.Export;

/// <summary>The upper half of a float32, rounded to nearest, ties to even.</summary>
internal static class BFloat16
{
    /// <summary>Rounds a finite value to 16 bits.</summary>
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Widens exactly.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounds values in place to what a BF16 checkpoint can hold.</summary>
    public static void Round(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = ToSingle(FromSingle(values[i]));
    }
}
