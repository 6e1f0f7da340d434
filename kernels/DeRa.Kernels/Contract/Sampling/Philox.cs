namespace DeRa.Kernels;

/// <summary>Four 32-bit words.</summary>
public struct Words4
{
    /// <summary>First word.</summary>
    public uint X;

    /// <summary>Second word.</summary>
    public uint Y;

    /// <summary>Third word.</summary>
    public uint Z;

    /// <summary>Fourth word.</summary>
    public uint W;

    /// <summary>Word <paramref name="index"/> of 0 … 3.</summary>
    public readonly uint Pick(int index) => index == 0 ? X : index == 1 ? Y : index == 2 ? Z : W;
}

/// <summary>
/// Philox 4x32 with 10 rounds: a counter-based generator, so a draw depends on its key and counter alone and not on any other draw
/// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Plain integer arithmetic: the same words on every device.
/// </summary>
public static class Philox
{
    internal const uint MultiplierX = 0xD2511F53, MultiplierZ = 0xCD9E8D57; // the paper's constants
    internal const uint WeylLow = 0x9E3779B9, WeylHigh = 0xBB67AE85;
    internal const int Rounds = 10;

    /// <summary>The four words of <paramref name="counter"/> under the 64-bit key.</summary>
    public static Words4 Generate(Words4 counter, uint keyLow, uint keyHigh)
    {
        for (int round = 0; round < Rounds; round++)
        {
            ulong x = (ulong)MultiplierX * counter.X, z = (ulong)MultiplierZ * counter.Z;
            counter = new Words4
            {
                X = (uint)(z >> 32) ^ counter.Y ^ keyLow,
                Y = (uint)z,
                Z = (uint)(x >> 32) ^ counter.W ^ keyHigh,
                W = (uint)x,
            };
            keyLow += WeylLow;
            keyHigh += WeylHigh;
        }

        return counter;
    }
}
