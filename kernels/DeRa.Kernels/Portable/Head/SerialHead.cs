using System.Globalization;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// The head's loops over one row of a tile by one work-item of a processor, eight tokens at a time: the .NET bodies state the result, the OpenCL bodies
/// compute it. Sums have one order, as in <see cref="SerialMath"/>.
/// </summary>
internal static class SerialHead
{
    /// <summary>Floats that <see cref="Mix"/> writes: maximum, Σ and Σ·d of the mixture, then maximum and Σ of the reference and of the aligned model.</summary>
    public const int Sums = 7;

    /// <summary>Both models ran.</summary>
    public const int Both = 0;

    /// <summary>Only the reference ran.</summary>
    public const int ReferenceOnly = 1;

    /// <summary>Only the aligned model ran.</summary>
    public const int AlignedOnly = 2;

    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(SerialHead),
        (nameof(Mix), nameof(EmitMix)), (nameof(Best), nameof(EmitBest)));

    /// <summary>
    /// Logits become the mixture, in both places; softmax sums of the mixture, and of both models where wanted. Values of −∞ weigh nothing.
    /// </summary>
    /// <param name="reference">[count] the reference's logits.</param>
    /// <param name="aligned">[count] the aligned model's.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="which"><see cref="Both"/>, <see cref="ReferenceOnly"/> or <see cref="AlignedOnly"/>.</param>
    /// <param name="lambda">λ.</param>
    /// <param name="statistics">1: of both models as well.</param>
    /// <param name="sums"><see cref="Sums"/> floats.</param>
    [IntrinsicImplementation, External("serialHeadMix")]
    public static void Mix(ref float reference, ref float aligned, int count, int which, float lambda, int statistics, ref float sums)
    {
        RunningMoment mixture = RunningMoment.Empty(), first = mixture, second = mixture;
        for (int i = 0; i < count; i++)
        {
            ref float r = ref Unsafe.Add(ref reference, i), a = ref Unsafe.Add(ref aligned, i);
            float left = which == AlignedOnly ? a : r, right = which == ReferenceOnly ? r : a, z = which == Both ? HeadScores.Mix(left, right, lambda) : left;
            mixture = RunningMoment.Add(mixture, z, right - left);
            first = RunningMoment.Add(first, left, 0);
            second = RunningMoment.Add(second, right, 0);
            r = z;
            a = z;
        }

        Unsafe.Add(ref sums, 0) = mixture.Max;
        Unsafe.Add(ref sums, 1) = mixture.Sum;
        Unsafe.Add(ref sums, 2) = mixture.Difference;
        if (statistics == 1)
        {
            Unsafe.Add(ref sums, 3) = first.Max;
            Unsafe.Add(ref sums, 4) = first.Sum;
            Unsafe.Add(ref sums, 5) = second.Max;
            Unsafe.Add(ref sums, 6) = second.Sum;
        }
    }

    /// <summary>The token of the largest s + g among <see cref="HeadArgs.Tile"/> scores that are at least <paramref name="least"/>, the lowest id among equals; int.MaxValue when none is.</summary>
    /// <param name="scores">Scores of a tile.</param>
    /// <param name="firstToken">Token of the first.</param>
    /// <param name="least">Ordered bits of the least score kept.</param>
    /// <param name="seedLow">Key.</param>
    /// <param name="seedHigh">Key.</param>
    /// <param name="stream">Counter.</param>
    /// <param name="position">Counter.</param>
    /// <param name="best">The largest s + g.</param>
    [IntrinsicImplementation, External("serialHeadBest")]
    public static int Best(ref float scores, int firstToken, uint least, uint seedLow, uint seedHigh, uint stream, int position, ref float best)
    {
        float bestValue = float.NegativeInfinity;
        int bestToken = int.MaxValue;
        for (int i = 0; i < HeadArgs.Tile; i++)
        {
            float score = Unsafe.Add(ref scores, i);
            float value = score + GumbelNoise.FromBits(GumbelNoise.Bits(seedLow, seedHigh, stream, position, firstToken + i));
            if (OrderedBits.Of(score) >= least && TileFold.IsBetter(value, firstToken + i, bestValue, bestToken))
            {
                bestValue = value;
                bestToken = firstToken + i;
            }
        }

        best = bestValue;
        return bestToken;
    }

    /// <summary><see cref="IProjector.Mix"/> of a processor.</summary>
    public static TileFold MixRow(HeadArgs args, HeadMemory memory, HeadRow row, int r, int first, bool fold)
    {
        int from = r * HeadArgs.Tile, count = IntrinsicMath.Min(HeadArgs.Tile, args.Vocabulary - first);
        bool both = args.Reference.IsPresent != 0 && args.Aligned.IsPresent != 0;
        if (args.Reference.IsPresent != 0 && args.Reference.BendsLogits)
        {
            for (int i = 0; i < count; i++)
            {
                memory.Reference[from + i] = args.Reference.Logit(memory.Reference[from + i], first + i);
            }
        }

        if (args.Aligned.IsPresent != 0 && args.Aligned.BendsLogits)
        {
            for (int i = 0; i < count; i++)
            {
                memory.Aligned[from + i] = args.Aligned.Logit(memory.Aligned[from + i], first + i);
            }
        }

        Mix(
            ref memory.Reference[from], ref memory.Aligned[from], count, both ? Both : args.Reference.IsPresent != 0 ? ReferenceOnly : AlignedOnly,
            row.Lambda, args.Statistics, ref memory.Values[0]);
        for (int i = count; i < HeadArgs.Tile; i++)
        {
            memory.Reference[from + i] = float.NegativeInfinity;
            memory.Aligned[from + i] = float.NegativeInfinity;
        }

        TileFold sums = TileFold.Empty();
        if (fold)
        {
            sums.Mixture = new RunningMoment { Max = memory.Values[0], Sum = memory.Values[1], Difference = memory.Values[2] };
            if (args.Statistics != 0)
            {
                sums.Reference = new RunningMoment { Max = memory.Values[3], Sum = memory.Values[4] };
                sums.Aligned = new RunningMoment { Max = memory.Values[5], Sum = memory.Values[6] };
            }
        }

        return sums;
    }

    /// <summary><see cref="IProjector.Best"/> of a processor.</summary>
    public static TileFold BestOfRow(HeadMemory memory, RowTeam team, HeadRow row, int r, int first, uint least, TileFold sums)
    {
        if (row.Temperature == 0f)
        {
            return HeadScores.BestOfShare(memory, team, row, r, first, least, sums);
        }

        int token = Best(
            ref memory.Aligned[r * HeadArgs.Tile], first, least, row.SeedLow, row.SeedHigh, row.Stream, row.Position, ref memory.Values[0]);
        float value = memory.Values[0];
        if (TileFold.IsBetter(value, token, sums.Best, sums.BestToken))
        {
            sums.Best = value;
            sums.BestToken = token;
        }

        return sums;
    }

    private static void EmitMix(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string Argument(int index) => OpenClText.Of(generator, call[index]);
        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {
                global float* r_ = (global float*)(size_t)({{Argument(0)}});
                global float* a_ = (global float*)(size_t)({{Argument(1)}});
                global float* o_ = (global float*)(size_t)({{Argument(6)}});
                const int n_ = {{Argument(2)}}, which_ = {{Argument(3)}}, stats_ = {{Argument(5)}};
                const float l_ = {{Argument(4)}}, k_ = 1.0f - l_;
                global const float* x_ = which_ == {{AlignedOnly}} ? a_ : r_;
                global const float* y_ = which_ == {{ReferenceOnly}} ? r_ : a_;
                const int one_ = which_ != {{Both}} || l_ == 0.0f ? 1 : l_ == 1.0f ? 2 : 0;
                float8 m_ = -INFINITY, mx_ = -INFINITY, my_ = -INFINITY;
                float tm_ = -INFINITY, tx_ = -INFINITY, ty_ = -INFINITY;
                int i_ = 0;
                for (; i_ + 8 <= n_; i_ += 8) {
                    float8 u_ = vload8(0, x_ + i_), w_ = vload8(0, y_ + i_);
                    m_ = fmax(m_, one_ == 1 ? u_ : one_ == 2 ? w_ : k_ * u_ + l_ * w_);
                    mx_ = fmax(mx_, u_); my_ = fmax(my_, w_);
                }
                for (; i_ < n_; i_++) {
                    float u_ = x_[i_], w_ = y_[i_];
                    tm_ = fmax(tm_, one_ == 1 ? u_ : one_ == 2 ? w_ : k_ * u_ + l_ * w_);
                    tx_ = fmax(tx_, u_); ty_ = fmax(ty_, w_);
                }
                {{Largest("m_", "tm_")}}
                {{Largest("mx_", "tx_")}}
                {{Largest("my_", "ty_")}}
                const float bm_ = isinf(tm_) ? 0.0f : tm_, bx_ = isinf(tx_) ? 0.0f : tx_, by_ = isinf(ty_) ? 0.0f : ty_;
                float8 s_ = 0, d_ = 0, sx_ = 0, sy_ = 0;
                float ts_ = 0, td_ = 0, tsx_ = 0, tsy_ = 0;
                for (i_ = 0; i_ + 8 <= n_; i_ += 8) {
                    float8 u_ = vload8(0, x_ + i_), w_ = vload8(0, y_ + i_), z_ = one_ == 1 ? u_ : one_ == 2 ? w_ : k_ * u_ + l_ * w_;
                    float8 e_ = exp(z_ - bm_);
                    s_ += e_;
                    d_ += select(e_ * (w_ - u_), (float8)(0), z_ == -INFINITY);
                    if (stats_) { sx_ += exp(u_ - bx_); sy_ += exp(w_ - by_); }
                    vstore8(z_, 0, r_ + i_); vstore8(z_, 0, a_ + i_);
                }
                {{Folded("s_", "fs_")}}
                {{Folded("d_", "fd_")}}
                {{Folded("sx_", "fx_")}}
                {{Folded("sy_", "fy_")}}
                for (; i_ < n_; i_++) {
                    float u_ = x_[i_], w_ = y_[i_], z_ = one_ == 1 ? u_ : one_ == 2 ? w_ : k_ * u_ + l_ * w_, e_ = exp(z_ - bm_);
                    fs_ += e_;
                    fd_ += z_ == -INFINITY ? 0.0f : e_ * (w_ - u_);
                    if (stats_) { fx_ += exp(u_ - bx_); fy_ += exp(w_ - by_); }
                    r_[i_] = z_; a_[i_] = z_;
                }
                o_[0] = tm_; o_[1] = fs_; o_[2] = fd_;
                if (stats_) { o_[3] = tx_; o_[4] = fx_; o_[5] = ty_; o_[6] = fy_; }
            }

            """);
    }

    private static string Largest(string vector, string tail) =>
        $"{{ float4 h_ = fmax({vector}.lo, {vector}.hi); float2 q_ = fmax(h_.lo, h_.hi); {tail} = fmax({tail}, fmax(q_.x, q_.y)); }}";

    private static string Folded(string vector, string name) =>
        $"float {name}; {{ float4 h_ = {vector}.lo + {vector}.hi; float2 q_ = h_.lo + h_.hi; {name} = q_.x + q_.y; }}";

    // Eight generator blocks at once; word i of block q belongs to token 4q + i. GumbelNoise.FromBits in vectors.
    private static void EmitBest(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string Argument(int index) => OpenClText.Of(generator, call[index]);
        var result = generator.Allocate(call);
        using (var statement = generator.BeginStatement(result))
        {
            statement.AppendConstant(0);
        }

        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {
                global const float* s_ = (global const float*)(size_t)({{Argument(0)}});
                global float* o_ = (global float*)(size_t)({{Argument(7)}});
                const int first_ = {{Argument(1)}}, position_ = {{Argument(6)}};
                const uint least_ = {{Argument(2)}}, low_ = {{Argument(3)}}, high_ = {{Argument(4)}}, stream_ = {{Argument(5)}};
                float8 best_ = -INFINITY;
                int8 token_ = INT_MAX;
                const int8 lane_ = (int8)(0, 1, 2, 3, 4, 5, 6, 7);
                for (int i_ = 0; i_ < {{HeadArgs.Tile}}; i_ += 32) {
                    uint8 x_ = as_uint8(lane_ + (first_ + i_) / 4), y_ = (uint)position_, z_ = stream_, w_ = 0;
                    uint k_ = low_, l_ = high_;
                    for (int round_ = 0; round_ < {{Philox.Rounds}}; round_++) {
                        uint8 xh_ = mul_hi(x_, (uint8)({{Philox.MultiplierX}}u)), xl_ = x_ * {{Philox.MultiplierX}}u;
                        uint8 zh_ = mul_hi(z_, (uint8)({{Philox.MultiplierZ}}u)), zl_ = z_ * {{Philox.MultiplierZ}}u;
                        x_ = zh_ ^ y_ ^ k_; y_ = zl_; z_ = xh_ ^ w_ ^ l_; w_ = xl_;
                        k_ += {{Philox.WeylLow}}u; l_ += {{Philox.WeylHigh}}u;
                    }
                    const float16 p_ = vload16(0, s_ + i_), q_ = vload16(0, s_ + i_ + 16);

            """);
        (string Word, string Lanes)[] words = [("x_", "s048c"), ("y_", "s159d"), ("z_", "s26ae"), ("w_", "s37bf")];
        for (int i = 0; i < words.Length; i++)
        {
            (string word, string lanes) = words[i];
            generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
                    {
                        float8 score_ = (float8)(p_.{{lanes}}, q_.{{lanes}});
                        float8 u_ = convert_float8(as_int8({{word}} >> 16)) * 0x1p-16f + (convert_float8(as_int8({{word}} & 0xffff)) + 0.5f) * 0x1p-32f;
                        float8 series_ = u_ * (1.0f + u_ * (0.5f + u_ * (1.0f / 3.0f + u_ * 0.25f)));
                        float8 direct_ = select((float8)(16.635532f), -log(1.0f - u_), u_ < 0.99999994f);
                        float8 value_ = score_ - log(select(direct_, series_, u_ < 0.0221f));
                        uint8 bits_ = as_uint8(select(score_, (float8)(0), score_ == 0.0f));
                        uint8 ordered_ = bits_ ^ (as_uint8(as_int8(bits_) >> 31) | 0x80000000u);
                        int8 better_ = (value_ > best_) & (ordered_ >= least_);
                        best_ = select(best_, value_, better_);
                        token_ = select(token_, first_ + i_ + {{i}} + 4 * lane_, better_);
                    }

                """);
        }

        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
                }
                float top_[8]; int id_[8];
                vstore8(best_, 0, top_); vstore8(token_, 0, id_);
                float t_ = top_[0]; int n_ = id_[0];
                for (int i_ = 1; i_ < 8; i_++)
                    if (top_[i_] > t_ || (top_[i_] == t_ && id_[i_] < n_)) { t_ = top_[i_]; n_ = id_[i_]; }
                *o_ = t_;
                {{result}} = n_;
            }

            """);
    }
}
