using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// argmax s + g over neighbouring tokens, g of <see cref="GumbelNoise"/>. Random words are made for 32 tokens at a time; the two logarithms are
/// taken only where they can matter: g ≤ −ln u, so a token can beat the best so far only if u ≤ e^(s − best).
/// </summary>
internal static unsafe class GumbelArgMax
{
    private const int Words = 32;

    /// <summary>Improves on <paramref name="best"/>; the lowest token among equals. Tokens at −∞ never win over a finite value.</summary>
    /// <param name="row">Seed, stream and position.</param>
    /// <param name="s">[count] values of the tokens, readable up to a multiple of eight.</param>
    /// <param name="firstToken">A multiple of four.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="best">The best so far.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Improve(HeadRow* row, float* s, int firstToken, int count, ref Candidate best)
    {
        uint* bits = stackalloc uint[Words];
        for (int from = 0; from < count; from += Words)
        {
            Generate(row, (uint)(firstToken + from) >> 2, bits);
            int words = Math.Min(Words, count - from);
            for (int i = 0; i < words; i += Lanes.Count)
            {
                Vector256<uint> b = Vector256.Load(bits + i);
                Vector256<float> u = Lanes.MultiplyAdd(
                    Vector256.ConvertToSingle((b & Vector256.Create(0xffffu)).AsInt32()), Vector256.Create(1f / 4294967296f),
                    Vector256.ConvertToSingle((b >> 16).AsInt32()) * (1f / 65536f));
                Vector256<float> value = Lanes.Load(s + from + i, words - i, float.NegativeInfinity);
                Vector256<float> bound = VectorMath.Exp(value - Vector256.Create(best.Value)) * 1.001f; // room for rounding
                uint possible = Vector256.LessThanOrEqual(u, bound).ExtractMostSignificantBits();
                for (; possible != 0; possible &= possible - 1)
                {
                    int lane = System.Numerics.BitOperations.TrailingZeroCount(possible);
                    Consider(s[from + i + lane], bits[i + lane], firstToken + from + i + lane, ref best);
                }
            }
        }
    }

    /// <summary>Lets one token compete.</summary>
    public static void Consider(HeadRow* row, float s, int token, ref Candidate best) =>
        Consider(s, GumbelNoise.Bits(row->SeedLow, row->SeedHigh, row->Stream, row->Position, token), token, ref best);

    private static void Consider(float s, uint bits, int token, ref Candidate best)
    {
        float perturbed = s + GumbelNoise.FromBits(bits);
        if (perturbed > best.Value || (perturbed == best.Value && token < best.Token))
        {
            best = new Candidate { Value = perturbed, Token = token };
        }
    }

    /// <summary>Philox blocks <paramref name="block"/> … block + 7: the words of 32 tokens in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Generate(HeadRow* row, uint block, uint* bits)
    {
        if (!Avx2.IsSupported)
        {
            for (uint i = 0; i < Words / 4; i++)
            {
                var counter = new Words4 { X = block + i, Y = (uint)row->Position, Z = row->Stream, W = 0 };
                Words4 words = Philox.Generate(counter, row->SeedLow, row->SeedHigh);
                bits[4 * i] = words.X;
                bits[4 * i + 1] = words.Y;
                bits[4 * i + 2] = words.Z;
                bits[4 * i + 3] = words.W;
            }

            return;
        }

        Vector256<uint> x = Vector256.Create(block) + Vector256<uint>.Indices, y = Vector256.Create((uint)row->Position);
        Vector256<uint> z = Vector256.Create(row->Stream), w = Vector256<uint>.Zero;
        uint keyLow = row->SeedLow, keyHigh = row->SeedHigh;
        for (int round = 0; round < Philox.Rounds; round++)
        {
            Product(x, Philox.MultiplierX, out Vector256<uint> highX, out Vector256<uint> lowX);
            Product(z, Philox.MultiplierZ, out Vector256<uint> highZ, out Vector256<uint> lowZ);
            x = highZ ^ y ^ Vector256.Create(keyLow);
            y = lowZ;
            z = highX ^ w ^ Vector256.Create(keyHigh);
            w = lowX;
            keyLow += Philox.WeylLow;
            keyHigh += Philox.WeylHigh;
        }

        // Lane i holds block i's words: transposed 4 × 4 within each half.
        Vector256<uint> xyLow = Avx2.UnpackLow(x, y), xyHigh = Avx2.UnpackHigh(x, y);
        Vector256<uint> zwLow = Avx2.UnpackLow(z, w), zwHigh = Avx2.UnpackHigh(z, w);
        Vector256<uint> first = Avx2.UnpackLow(xyLow.AsUInt64(), zwLow.AsUInt64()).AsUInt32();
        Vector256<uint> second = Avx2.UnpackHigh(xyLow.AsUInt64(), zwLow.AsUInt64()).AsUInt32();
        Vector256<uint> third = Avx2.UnpackLow(xyHigh.AsUInt64(), zwHigh.AsUInt64()).AsUInt32();
        Vector256<uint> fourth = Avx2.UnpackHigh(xyHigh.AsUInt64(), zwHigh.AsUInt64()).AsUInt32();
        first.GetLower().Store(bits);
        second.GetLower().Store(bits + 4);
        third.GetLower().Store(bits + 8);
        fourth.GetLower().Store(bits + 12);
        first.GetUpper().Store(bits + 16);
        second.GetUpper().Store(bits + 20);
        third.GetUpper().Store(bits + 24);
        fourth.GetUpper().Store(bits + 28);
    }

    /// <summary>Upper and lower words of eight 32 × 32 bit products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Product(Vector256<uint> a, uint multiplier, out Vector256<uint> high, out Vector256<uint> low)
    {
        Vector256<uint> m = Vector256.Create(multiplier);
        Vector256<ulong> even = Avx2.Multiply(a, m), odd = Avx2.Multiply((a.AsUInt64() >> 32).AsUInt32(), m);
        low = Avx2.Blend(even.AsUInt32(), (odd << 32).AsUInt32(), 0xAA);
        high = Avx2.Blend((even >> 32).AsUInt32(), odd.AsUInt32(), 0xAA);
    }
}
