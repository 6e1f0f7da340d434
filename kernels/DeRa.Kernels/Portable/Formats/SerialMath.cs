using System.Globalization;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// Loops over a row by one work-item of a processor, eight elements at a time: the .NET bodies state the result, the OpenCL bodies compute it. A
/// compiler does not vectorise these by itself, exponentials least of all. Sums have one order: eight partial sums, folded in halves, then the
/// last elements.
/// </summary>
internal static class SerialMath
{
    private const string Fold8 = "float4 h_ = p_.lo + p_.hi; float2 q_ = h_.lo + h_.hi; float s_ = q_.x + q_.y;";

    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(SerialMath),
        (nameof(ScaledMax), nameof(EmitScaledMax)), (nameof(ExpSum), nameof(EmitExpSum)), (nameof(GatedSilu), nameof(EmitGatedSilu)));

    /// <summary>values[i] *= scale; the largest of them.</summary>
    [IntrinsicImplementation, External("serialScaledMax")]
    public static float ScaledMax(ref float values, int count, float scale)
    {
        float max = float.NegativeInfinity;
        for (int i = 0; i < count; i++)
        {
            ref float value = ref Unsafe.Add(ref values, i);
            value *= scale;
            max = value > max ? value : max;
        }

        return max;
    }

    /// <summary>values[i] = e^(values[i] − max); their sum.</summary>
    [IntrinsicImplementation, External("serialExpSum")]
    public static float ExpSum(ref float values, int count, float max)
    {
        float sum = 0;
        for (int i = 0; i < count; i++)
        {
            ref float value = ref Unsafe.Add(ref values, i);
            value = MathF.Exp(value - max);
            sum += value;
        }

        return sum;
    }

    /// <summary>y[i] = silu(gate[i])·up[i].</summary>
    [IntrinsicImplementation, External("serialGatedSilu")]
    public static void GatedSilu(ref float gate, ref float up, ref float y, int count)
    {
        for (int i = 0; i < count; i++)
        {
            float x = Unsafe.Add(ref gate, i);
            Unsafe.Add(ref y, i) = x * ActivationMath.Sigmoid(x) * Unsafe.Add(ref up, i);
        }
    }

    private static void EmitScaledMax(CLBackend backend, CLCodeGenerator generator, Value call) => EmitFloat(generator, call, arguments => $$"""
        {
            global float* v_ = (global float*)(size_t)({{arguments[0]}});
            const int n_ = {{arguments[1]}};
            const float f_ = {{arguments[2]}};
            float8 p_ = -INFINITY;
            int i_ = 0;
            for (; i_ + 8 <= n_; i_ += 8) { float8 x_ = vload8(0, v_ + i_) * f_; p_ = fmax(p_, x_); vstore8(x_, 0, v_ + i_); }
            float4 h_ = fmax(p_.lo, p_.hi); float2 q_ = fmax(h_.lo, h_.hi); float s_ = fmax(q_.x, q_.y);
            for (; i_ < n_; i_++) { v_[i_] *= f_; s_ = fmax(s_, v_[i_]); }
            {{arguments[^1]}} = s_;
        }

        """);

    private static void EmitExpSum(CLBackend backend, CLCodeGenerator generator, Value call) => EmitFloat(generator, call, arguments => $$"""
        {
            global float* v_ = (global float*)(size_t)({{arguments[0]}});
            const int n_ = {{arguments[1]}};
            const float m_ = {{arguments[2]}};
            float8 p_ = 0;
            int i_ = 0;
            for (; i_ + 8 <= n_; i_ += 8) { float8 x_ = exp(vload8(0, v_ + i_) - m_); p_ += x_; vstore8(x_, 0, v_ + i_); }
            {{Fold8}}
            for (; i_ < n_; i_++) { v_[i_] = exp(v_[i_] - m_); s_ += v_[i_]; }
            {{arguments[^1]}} = s_;
        }

        """);

    // The exponential of a number that is not positive, as ActivationMath.Sigmoid.
    private static void EmitGatedSilu(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string Argument(int index) => OpenClText.Of(generator, call[index]);
        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {
                global const float* g_ = (global const float*)(size_t)({{Argument(0)}});
                global const float* u_ = (global const float*)(size_t)({{Argument(1)}});
                global float* y_ = (global float*)(size_t)({{Argument(2)}});
                const int n_ = {{Argument(3)}};
                int i_ = 0;
                for (; i_ + 8 <= n_; i_ += 8) {
                    float8 x_ = vload8(0, g_ + i_), e_ = exp(-fabs(x_)), d_ = 1.0f + e_;
                    vstore8(x_ * select(e_ / d_, 1.0f / d_, x_ >= 0.0f) * vload8(0, u_ + i_), 0, y_ + i_);
                }
                for (; i_ < n_; i_++) {
                    float x_ = g_[i_], e_ = exp(-fabs(x_)), d_ = 1.0f + e_;
                    y_[i_] = x_ * (x_ >= 0.0f ? 1.0f / d_ : e_ / d_) * u_[i_];
                }
            }

            """);
    }

    // The last of the arguments is the result's name; a statement makes the generator declare it.
    private static void EmitFloat(CLCodeGenerator generator, Value call, Func<string[], string> code)
    {
        string[] arguments = [.. Enumerable.Range(0, 3).Select(i => OpenClText.Of(generator, call[i]))];
        var result = generator.Allocate(call);
        using (var statement = generator.BeginStatement(result))
        {
            statement.AppendConstant(0f);
        }

        generator.Builder.Append(code([.. arguments, result.ToString()!]));
    }
}
