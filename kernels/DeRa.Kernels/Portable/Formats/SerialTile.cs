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
/// Projections of a few rows by one work-item of a processor, SIMD inside: the .NET bodies state the result, the OpenCL bodies compute it with
/// 8-wide loads and fused multiply-adds. Compilers for processors vectorise loops badly across work-items; inside one this reaches the
/// memory's bandwidth for one row and the multipliers' rate for many.
/// </summary>
/// <remarks>
/// An output's sum has one order whatever tile it falls into: sixteen partial sums over k mod 16 with AVX-512 (eight inputs that are left go to the first
/// eight), eight over k mod 8 without; folded in halves, then the last k mod 8 terms.
/// Pointers are cast through size_t because ILGPU's are generic; on a processor all address spaces are one, so the target may be shared memory.
/// </remarks>
internal static class SerialTile
{
    /// <summary>No limit on the rows of a call.</summary>
    public const int ManyRows = int.MaxValue;

    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(SerialTile),
        (nameof(Rows), nameof(EmitRows)), (nameof(Columns), nameof(EmitColumns)));

    /// <summary>target[r, o] = Σ_k x[r, k]·w[o, k], w dense [outputs, depth] of the storage type; added to target when <paramref name="accumulate"/> is 1.</summary>
    /// <param name="w">First weight.</param>
    /// <param name="x">First activation.</param>
    /// <param name="target">First result.</param>
    /// <param name="depth">Inputs.</param>
    /// <param name="outputs">Outputs.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="xStride">Floats between rows of x.</param>
    /// <param name="targetStride">Floats between rows of the target.</param>
    /// <param name="accumulate">0 or 1.</param>
    /// <param name="mostRows">A constant: no call has more rows, or <see cref="ManyRows"/>; tiles of more rows are left out of the code.</param>
    /// <param name="dtype">A constant: the storage type.</param>
    [IntrinsicImplementation, External("serialTileRows")]
    public static void Rows(
        ref ushort w, ref float x, ref float target, int depth, int outputs, int rows, int xStride, int targetStride, int accumulate,
        int mostRows, int dtype)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int o = 0; o < outputs; o++)
            {
                float sum = 0;
                for (int k = 0; k < depth; k++)
                {
                    sum += Unsafe.Add(ref x, (nint)r * xStride + k) * Decode(ref w, (nint)o * depth + k, dtype);
                }

                ref float output = ref Unsafe.Add(ref target, (nint)r * targetStride + o);
                output = accumulate == 1 ? output + sum : sum;
            }
        }
    }

    /// <summary>target[r, o] = Σ_k x[r, k]·w[k, o], w's rows wStride elements apart; added to target when <paramref name="accumulate"/> is 1.</summary>
    [IntrinsicImplementation, External("serialTileColumns")]
    public static void Columns(
        ref ushort w, ref float x, ref float target, int depth, int outputs, int rows, int xStride, int targetStride, int wStride,
        int accumulate, int dtype)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int o = 0; o < outputs; o++)
            {
                ref float output = ref Unsafe.Add(ref target, (nint)r * targetStride + o);
                float sum = accumulate == 1 ? output : 0;
                for (int k = 0; k < depth; k++)
                {
                    sum += Unsafe.Add(ref x, (nint)r * xStride + k) * Decode(ref w, (nint)k * wStride + o, dtype);
                }

                output = sum;
            }
        }
    }

    private static float Decode(ref ushort w, nint element, int dtype) => dtype switch
    {
        (int)DType.BF16 => WeightBits.BFloat16(Unsafe.Add(ref w, element)),
        (int)DType.F16 => WeightBits.Float16(Unsafe.Add(ref w, element)),
        _ => Unsafe.Add(ref Unsafe.As<ushort, float>(ref w), element),
    };

    private static void EmitRows(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string Argument(int index) => OpenClText.Of(generator, call[index]);
        generator.Builder.Append(SerialRowTiles.Code(
            new SerialRowTiles.Names(
                Argument(0), Argument(1), Argument(2), Argument(3), Argument(4), Argument(5), Argument(6), Argument(7), Argument(8)),
            int.Parse(Argument(9), CultureInfo.InvariantCulture), SerialSource.Of(Argument(10))));
    }

    private static void EmitColumns(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string Argument(int index) => OpenClText.Of(generator, call[index]);
        SerialSource source = SerialSource.Of(Argument(10));
        var code = new StringBuilder();
        code.Append(CultureInfo.InvariantCulture, $$"""
            {
                global const {{source.Type}}* w_ = (global const {{source.Type}}*)(size_t)({{Argument(0)}});
                global const float* x_ = (global const float*)(size_t)({{Argument(1)}});
                global float* t_ = (global float*)(size_t)({{Argument(2)}});
                const int depth_ = {{Argument(3)}}, outputs_ = {{Argument(4)}}, rows_ = {{Argument(5)}};
                const size_t xs_ = {{Argument(6)}}, ts_ = {{Argument(7)}}, ws_ = {{Argument(8)}};
                const int add_ = {{Argument(9)}};
                int r_ = 0;

            """);
        foreach ((int rows, int vectors) in new[] { (4, 2), (1, 4) })
        {
            code.Append(CultureInfo.InvariantCulture, $"for (; r_ + {rows} <= rows_; r_ += {rows}) {{ int o_ = 0;\n");
            foreach (int width in new[] { vectors, 1 })
            {
                code.Append(CultureInfo.InvariantCulture, $"for (; o_ + {8 * width} <= outputs_; o_ += {8 * width}) {{\n");
                AppendColumnTile(code, source, rows, width);
                code.Append("}\n");
            }

            code.Append(CultureInfo.InvariantCulture, $$"""
                for (; o_ < outputs_; o_++) for (int q_ = r_; q_ < r_ + {{rows}}; q_++) {
                    float s_ = add_ ? t_[q_ * ts_ + o_] : 0;
                    for (int k_ = 0; k_ < depth_; k_++) s_ = fma({{source.Scalar("w_ + k_ * ws_ + o_")}}, x_[q_ * xs_ + k_], s_);
                    t_[q_ * ts_ + o_] = s_;
                }
                }

                """);
        }

        generator.Builder.Append(code.Append("}\n"));
    }

    private static void AppendColumnTile(StringBuilder code, SerialSource source, int rows, int vectors)
    {
        void Line(string text) => code.Append(text).Append('\n');
        for (int r = 0; r < rows; r++)
        {
            for (int v = 0; v < vectors; v++)
            {
                Line($"float8 a{r}{v}_ = add_ ? vload8({v}, t_ + (r_ + {r}) * ts_ + o_) : (float8)(0);");
            }
        }

        Line("for (int k_ = 0; k_ < depth_; k_++) {");
        for (int r = 0; r < rows; r++)
        {
            Line($"float8 v{r}_ = x_[(r_ + {r}) * xs_ + k_];");
        }

        for (int v = 0; v < vectors; v++)
        {
            Line($"{{ float8 m_ = {source.Vector($"w_ + k_ * ws_ + o_ + {8 * v}", 8)};");
            for (int r = 0; r < rows; r++)
            {
                Line($"a{r}{v}_ = fma(m_, v{r}_, a{r}{v}_);");
            }

            Line("}");
        }

        Line("}");
        for (int r = 0; r < rows; r++)
        {
            for (int v = 0; v < vectors; v++)
            {
                Line($"vstore8(a{r}{v}_, {v}, t_ + (r_ + {r}) * ts_ + o_);");
            }
        }
    }
}
