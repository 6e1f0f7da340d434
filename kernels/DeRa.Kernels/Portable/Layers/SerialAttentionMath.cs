using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// The two inner products of attention over a run of neighbouring positions, by one work-item of a processor: the .NET bodies state the result, the
/// OpenCL bodies compute it with the widest vectors and ask for the run that comes next while they do. Scores are summed as
/// <see cref="SerialTile.Rows"/> sums; values in the order of positions.
/// </summary>
internal static class SerialAttentionMath
{
    // Keys, or vectors of a value, side by side; then what is left, singly.
    private static readonly int[] Several = [4, 1];

    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(SerialAttentionMath),
        (nameof(Scores), nameof(EmitScores)), (nameof(Accumulate), nameof(EmitAccumulate)));

    /// <summary>scores[j] = Σ_d query[d]·keys[j, d].</summary>
    /// <param name="keys">[count, dim], dense.</param>
    /// <param name="query">[dim].</param>
    /// <param name="scores">[count].</param>
    /// <param name="dim">Elements of a head.</param>
    /// <param name="count">Positions.</param>
    /// <param name="next">As much memory as the keys, which will be read next.</param>
    [IntrinsicImplementation, External("serialAttentionScores")]
    public static void Scores(ref float keys, ref float query, ref float scores, int dim, int count, ref float next)
    {
        for (int j = 0; j < count; j++)
        {
            float sum = 0;
            for (int d = 0; d < dim; d++)
            {
                sum += Unsafe.Add(ref query, d) * Unsafe.Add(ref keys, j * dim + d);
            }

            Unsafe.Add(ref scores, j) = sum;
        }
    }

    /// <summary>sums[d] += Σ_j weights[j]·values[j, d].</summary>
    /// <param name="values">[count, dim], dense.</param>
    /// <param name="weights">[count].</param>
    /// <param name="sums">[dim].</param>
    /// <param name="dim">Elements of a head.</param>
    /// <param name="count">Positions.</param>
    /// <param name="next">As much memory as the values, which will be read next.</param>
    [IntrinsicImplementation, External("serialAttentionAccumulate")]
    public static void Accumulate(ref float values, ref float weights, ref float sums, int dim, int count, ref float next)
    {
        for (int j = 0; j < count; j++)
        {
            for (int d = 0; d < dim; d++)
            {
                Unsafe.Add(ref sums, d) += Unsafe.Add(ref weights, j) * Unsafe.Add(ref values, j * dim + d);
            }
        }
    }

    private static void EmitScores(CLBackend backend, CLCodeGenerator generator, Value call) => Emit(generator, call, lanes =>
    {
        var code = new StringBuilder("int j_ = 0;\n");
        foreach (int keys in Several)
        {
            string All(Func<int, string> line) => string.Join('\n', Enumerable.Range(0, keys).Select(line));
            string tail = lanes == 8 ? "" : $$"""
                if (d_ + 8 <= dim_) {
                float8 v_ = vload8(0, b_ + d_);
                {{All(i => $"a{i}_.lo = fma(vload8(0, k{i}_ + d_), v_, a{i}_.lo);")}}
                d_ += 8; }
                """;
            code.Append(CultureInfo.InvariantCulture, $$"""
                for (; j_ + {{keys}} <= n_; j_ += {{keys}}) {
                {{Prefetch("j_ * dim_", $"{keys} * dim_")}}
                {{All(i => $"global const float* k{i}_ = m_ + (j_ + {i}) * dim_; float{lanes} a{i}_ = 0;")}}
                int d_ = 0;
                for (; d_ + {{lanes}} <= dim_; d_ += {{lanes}}) {
                float{{lanes}} v_ = vload{{lanes}}(0, b_ + d_);
                {{All(i => $"a{i}_ = fma(vload{lanes}(0, k{i}_ + d_), v_, a{i}_);")}}
                }
                {{tail}}
                {{All(i => $"{{ {SerialText.Fold($"a{i}_", lanes)} for (int i_ = d_; i_ < dim_; i_++) s_ = fma(k{i}_[i_], b_[i_], s_); t_[j_ + {i}] = s_; }}")}}
                }

                """);
        }

        return code.ToString();
    });

    private static void EmitAccumulate(CLBackend backend, CLCodeGenerator generator, Value call) => Emit(generator, call, lanes =>
    {
        var code = new StringBuilder("int d_ = 0;\n");
        foreach (int vectors in Several)
        {
            string All(Func<int, string> line) => string.Join('\n', Enumerable.Range(0, vectors).Select(line));
            code.Append(CultureInfo.InvariantCulture, $$"""
                for (; d_ + {{lanes * vectors}} <= dim_; d_ += {{lanes * vectors}}) {
                {{All(i => $"float{lanes} a{i}_ = vload{lanes}({i}, t_ + d_);")}}
                for (int j_ = 0; j_ < n_; j_++) {
                {{Prefetch("j_ * dim_ + d_", $"{lanes * vectors}")}}
                global const float* v_ = m_ + j_ * dim_ + d_;
                float{{lanes}} p_ = b_[j_];
                {{All(i => $"a{i}_ = fma(vload{lanes}({i}, v_), p_, a{i}_);")}}
                }
                {{All(i => $"vstore{lanes}(a{i}_, {i}, t_ + d_);")}}
                }

                """);
        }

        return code.Append("""
            for (; d_ < dim_; d_++) {
            float s_ = t_[d_];
            for (int j_ = 0; j_ < n_; j_++) s_ = fma(m_[j_ * dim_ + d_], b_[j_], s_);
            t_[d_] = s_;
            }

            """).ToString();
    });

    private static string Prefetch(string from, string count) => $$"""
        #ifdef __clang__
        for (int p_ = 0; p_ < {{count}}; p_ += 16) __builtin_prefetch(y_ + {{from}} + p_, 0, 2);
        #endif
        """;

    private static void Emit(CLCodeGenerator generator, Value call, Func<int, string> body)
    {
        string Argument(int index) => OpenClText.Of(generator, call[index]);
        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {
            global const float* m_ = (global const float*)(size_t)({{Argument(0)}});
            global const float* b_ = (global const float*)(size_t)({{Argument(1)}});
            global float* t_ = (global float*)(size_t)({{Argument(2)}});
            const int dim_ = {{Argument(3)}}, n_ = {{Argument(4)}};
            global const float* y_ = (global const float*)(size_t)({{Argument(5)}});
            #ifdef __AVX512VL__
            {{body(16)}}
            #else
            {{body(8)}}
            #endif
            }

            """);
    }
}
