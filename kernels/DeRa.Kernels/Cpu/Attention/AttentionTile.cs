using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Scores of many queries against a few neighbouring keys, positions as lanes. A score stands for the eight-lane dot product of
/// <see cref="AttentionMath"/>: eight accumulators per score, one for each lane, added in the order of <see cref="Lanes.Sum(Vector256{float})"/>,
/// then the elements past the last whole vector one by one. The bits are the same; there is nothing to add across lanes.
/// </summary>
internal static unsafe class AttentionTile
{
    /// <summary>Positions that are scored together.</summary>
    public const int Positions = 16;

    /// <summary>Turns keys [run, dim] into [dim, 16], zeros past the run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Turn(float* keys, int run, int dim, float* turned)
    {
        int d = 0;
        for (; run == Positions && d + 8 <= dim; d += 8)
        {
            Turn8(keys + d, dim, turned + d * Positions);
            Turn8(keys + 8L * dim + d, dim, turned + d * Positions + 8);
        }

        for (; d < dim; d++)
        {
            for (int j = 0; j < Positions; j++)
            {
                turned[d * Positions + j] = j < run ? keys[(long)j * dim + d] : 0;
            }
        }
    }

    /// <summary>scores[row, j] = q_row · k_j for 16 positions.</summary>
    /// <param name="queries">[rows] pointers.</param>
    /// <param name="rows">Queries.</param>
    /// <param name="turned">[dim, 16].</param>
    /// <param name="dim">Elements of a head.</param>
    /// <param name="scores">16 floats per row are written.</param>
    /// <param name="stride">Floats between rows of scores.</param>
    public static void Scores(float** queries, int rows, float* turned, int dim, float* scores, int stride)
    {
        int row = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; row + 2 <= rows; row += 2)
            {
                TwoRows512(queries[row], queries[row + 1], turned, dim, scores + row * stride, scores + (row + 1) * stride);
            }
        }

        for (; row < rows; row++)
        {
            OneRow256(queries[row], turned, dim, scores + row * stride);
            OneRow256(queries[row], turned + 8, dim, scores + row * stride + 8);
        }
    }

    /// <summary>Two queries: 16 accumulators, one load of keys for both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRows512(float* q, float* r, float* turned, int dim, float* scores, float* scoresR)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default, b4 = default, b5 = default, b6 = default, b7 = default;
        float* k = turned;
        int d = 0;
        for (; d + 8 <= dim; d += 8, k += 8 * Positions)
        {
            Vector512<float> key = Vector512.Load(k);
            a0 = Lanes.MultiplyAdd(Vector512.Create(q[d]), key, a0);
            b0 = Lanes.MultiplyAdd(Vector512.Create(r[d]), key, b0);
            key = Vector512.Load(k + 1 * Positions);
            a1 = Lanes.MultiplyAdd(Vector512.Create(q[d + 1]), key, a1);
            b1 = Lanes.MultiplyAdd(Vector512.Create(r[d + 1]), key, b1);
            key = Vector512.Load(k + 2 * Positions);
            a2 = Lanes.MultiplyAdd(Vector512.Create(q[d + 2]), key, a2);
            b2 = Lanes.MultiplyAdd(Vector512.Create(r[d + 2]), key, b2);
            key = Vector512.Load(k + 3 * Positions);
            a3 = Lanes.MultiplyAdd(Vector512.Create(q[d + 3]), key, a3);
            b3 = Lanes.MultiplyAdd(Vector512.Create(r[d + 3]), key, b3);
            key = Vector512.Load(k + 4 * Positions);
            a4 = Lanes.MultiplyAdd(Vector512.Create(q[d + 4]), key, a4);
            b4 = Lanes.MultiplyAdd(Vector512.Create(r[d + 4]), key, b4);
            key = Vector512.Load(k + 5 * Positions);
            a5 = Lanes.MultiplyAdd(Vector512.Create(q[d + 5]), key, a5);
            b5 = Lanes.MultiplyAdd(Vector512.Create(r[d + 5]), key, b5);
            key = Vector512.Load(k + 6 * Positions);
            a6 = Lanes.MultiplyAdd(Vector512.Create(q[d + 6]), key, a6);
            b6 = Lanes.MultiplyAdd(Vector512.Create(r[d + 6]), key, b6);
            key = Vector512.Load(k + 7 * Positions);
            a7 = Lanes.MultiplyAdd(Vector512.Create(q[d + 7]), key, a7);
            b7 = Lanes.MultiplyAdd(Vector512.Create(r[d + 7]), key, b7);
        }

        Vector512<float> sum = (a0 + a4 + (a2 + a6)) + (a1 + a5 + (a3 + a7));
        Vector512<float> sumR = (b0 + b4 + (b2 + b6)) + (b1 + b5 + (b3 + b7));
        for (; d < dim; d++, k += Positions)
        {
            Vector512<float> key = Vector512.Load(k);
            sum = Lanes.MultiplyAdd(Vector512.Create(q[d]), key, sum);
            sumR = Lanes.MultiplyAdd(Vector512.Create(r[d]), key, sumR);
        }

        sum.Store(scores);
        sumR.Store(scoresR);
    }

    /// <summary>One query and eight positions: eight accumulators leave room in 16 registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow256(float* q, float* turned, int dim, float* scores)
    {
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default;
        float* k = turned;
        int d = 0;
        for (; d + 8 <= dim; d += 8, k += 8 * Positions)
        {
            a0 = Lanes.MultiplyAdd(Vector256.Create(q[d]), Vector256.Load(k), a0);
            a1 = Lanes.MultiplyAdd(Vector256.Create(q[d + 1]), Vector256.Load(k + 1 * Positions), a1);
            a2 = Lanes.MultiplyAdd(Vector256.Create(q[d + 2]), Vector256.Load(k + 2 * Positions), a2);
            a3 = Lanes.MultiplyAdd(Vector256.Create(q[d + 3]), Vector256.Load(k + 3 * Positions), a3);
            a4 = Lanes.MultiplyAdd(Vector256.Create(q[d + 4]), Vector256.Load(k + 4 * Positions), a4);
            a5 = Lanes.MultiplyAdd(Vector256.Create(q[d + 5]), Vector256.Load(k + 5 * Positions), a5);
            a6 = Lanes.MultiplyAdd(Vector256.Create(q[d + 6]), Vector256.Load(k + 6 * Positions), a6);
            a7 = Lanes.MultiplyAdd(Vector256.Create(q[d + 7]), Vector256.Load(k + 7 * Positions), a7);
        }

        Vector256<float> sum = (a0 + a4 + (a2 + a6)) + (a1 + a5 + (a3 + a7));
        for (; d < dim; d++, k += Positions)
        {
            sum = Lanes.MultiplyAdd(Vector256.Create(q[d]), Vector256.Load(k), sum);
        }

        sum.Store(scores);
    }

    /// <summary>Turns an 8 × 8 square: rows <paramref name="dim"/> floats apart become rows of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn8(float* source, int dim, float* target)
    {
        Vector256<float> r0 = Vector256.Load(source), r1 = Vector256.Load(source + dim);
        Vector256<float> r2 = Vector256.Load(source + 2 * dim), r3 = Vector256.Load(source + 3 * dim);
        Vector256<float> r4 = Vector256.Load(source + 4 * dim), r5 = Vector256.Load(source + 5 * dim);
        Vector256<float> r6 = Vector256.Load(source + 6 * dim), r7 = Vector256.Load(source + 7 * dim);
        Half(r0.GetLower(), r1.GetLower(), r2.GetLower(), r3.GetLower(), target);
        Half(r4.GetLower(), r5.GetLower(), r6.GetLower(), r7.GetLower(), target + 4);
        Half(r0.GetUpper(), r1.GetUpper(), r2.GetUpper(), r3.GetUpper(), target + 4 * Positions);
        Half(r4.GetUpper(), r5.GetUpper(), r6.GetUpper(), r7.GetUpper(), target + 4 * Positions + 4);
    }

    /// <summary>Turns a 4 × 4 square.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Half(Vector128<float> r0, Vector128<float> r1, Vector128<float> r2, Vector128<float> r3, float* target)
    {
        if (Sse.IsSupported)
        {
            Vector128<float> a = Sse.UnpackLow(r0, r1), b = Sse.UnpackHigh(r0, r1);
            Vector128<float> c = Sse.UnpackLow(r2, r3), d = Sse.UnpackHigh(r2, r3);
            Sse.MoveLowToHigh(a, c).Store(target);
            Sse.MoveHighToLow(c, a).Store(target + Positions);
            Sse.MoveLowToHigh(b, d).Store(target + 2 * Positions);
            Sse.MoveHighToLow(d, b).Store(target + 3 * Positions);
            return;
        }

        for (int i = 0; i < 4; i++)
        {
            Vector128.Create(r0.GetElement(i), r1.GetElement(i), r2.GetElement(i), r3.GetElement(i)).Store(target + i * Positions);
        }
    }
}
