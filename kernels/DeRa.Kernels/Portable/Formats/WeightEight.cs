using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>Eight consecutive numbers.</summary>
internal struct Eight
{
    public float A;
    public float B;
    public float C;
    public float D;
    public float E;
    public float F;
    public float G;
    public float H;

    /// <summary>sum + the eight, in pairs.</summary>
    public static float Sum(Eight x, float sum) => sum + (x.A + x.B + (x.C + x.D) + (x.E + x.F + (x.G + x.H)));

    /// <summary>sum + Σ of the products, in order.</summary>
    public static float Dot(Eight x, Eight y, float sum)
    {
        sum = Fused.MultiplyAdd(x.A, y.A, sum);
        sum = Fused.MultiplyAdd(x.B, y.B, sum);
        sum = Fused.MultiplyAdd(x.C, y.C, sum);
        sum = Fused.MultiplyAdd(x.D, y.D, sum);
        sum = Fused.MultiplyAdd(x.E, y.E, sum);
        sum = Fused.MultiplyAdd(x.F, y.F, sum);
        sum = Fused.MultiplyAdd(x.G, y.G, sum);
        sum = Fused.MultiplyAdd(x.H, y.H, sum);
        return sum;
    }

    /// <summary>sums + the eight, times <paramref name="y"/>.</summary>
    public static Eight MultiplyAdd(Eight x, float y, Eight sums) => new()
    {
        A = Fused.MultiplyAdd(x.A, y, sums.A),
        B = Fused.MultiplyAdd(x.B, y, sums.B),
        C = Fused.MultiplyAdd(x.C, y, sums.C),
        D = Fused.MultiplyAdd(x.D, y, sums.D),
        E = Fused.MultiplyAdd(x.E, y, sums.E),
        F = Fused.MultiplyAdd(x.F, y, sums.F),
        G = Fused.MultiplyAdd(x.G, y, sums.G),
        H = Fused.MultiplyAdd(x.H, y, sums.H),
    };
}

/// <summary>
/// Loads eight consecutive elements. On CUDA an aligned eight comes in 16-byte loads, weights past the first-level cache, which they would only
/// displace; elsewhere one by one.
/// </summary>
internal static class WeightEight
{
    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(WeightEight),
        (nameof(BFloat16), nameof(EmitOpenClBFloat16), nameof(EmitBFloat16)),
        (nameof(Float16), nameof(EmitOpenClFloat16), nameof(EmitFloat16)),
        (nameof(Float32), nameof(EmitOpenClFloat32), nameof(EmitFloat32)),
        (nameof(Activations), nameof(EmitOpenClFloat32), nameof(EmitActivations)));

    /// <summary>Eight elements of bfloat16 from the one given on.</summary>
    [IntrinsicImplementation, External("eightBFloat16")]
    public static Eight BFloat16(ref ushort at) => Gather(ref at, static (ref ushort at, int i) => WeightBits.BFloat16(Unsafe.Add(ref at, i)));

    /// <summary>Eight elements of binary16.</summary>
    [IntrinsicImplementation, External("eightFloat16")]
    public static Eight Float16(ref ushort at) => Gather(ref at, static (ref ushort at, int i) => WeightBits.Float16(Unsafe.Add(ref at, i)));

    /// <summary>Eight elements of binary32, two units each.</summary>
    [IntrinsicImplementation, External("eightFloat32")]
    public static Eight Float32(ref ushort at) => Activations(ref Unsafe.As<ushort, float>(ref at));

    /// <summary>Eight activations.</summary>
    [IntrinsicImplementation, External("eightActivations")]
    public static Eight Activations(ref float at) => Gather(ref at, static (ref float at, int i) => Unsafe.Add(ref at, i));

    private delegate float Element<T>(ref T at, int index);

    private static Eight Gather<T>(ref T at, Element<T> element) => new()
    {
        A = element(ref at, 0),
        B = element(ref at, 1),
        C = element(ref at, 2),
        D = element(ref at, 3),
        E = element(ref at, 4),
        F = element(ref at, 5),
        G = element(ref at, 6),
        H = element(ref at, 7),
    };

    private static void EmitOpenClBFloat16(CLBackend backend, CLCodeGenerator generator, Value call) =>
        EmitOpenCl(generator, call, "as_float8(convert_uint8(vload8(0, (global const ushort*)(size_t)({0}))) << 16)");

    private static void EmitOpenClFloat16(CLBackend backend, CLCodeGenerator generator, Value call) =>
        EmitOpenCl(generator, call, "vload_half8(0, (global const half*)(size_t)({0}))");

    private static void EmitOpenClFloat32(CLBackend backend, CLCodeGenerator generator, Value call) =>
        EmitOpenCl(generator, call, "vload8(0, (global const float*)(size_t)({0}))");

    // The struct is eight floats in order: stored to as such.
    private static void EmitOpenCl(CLCodeGenerator generator, Value call, string load)
    {
        string at = generator.Load(call[0]).ToString()!;
        var result = generator.Allocate(call);
        using (var statement = generator.BeginStatement(result))
        {
            statement.AppendCommand(result.ToString()!); // a statement makes the generator declare the variable
        }

        string value = load.Replace("{0}", at, StringComparison.Ordinal);
        generator.Builder.Append(CultureInfo.InvariantCulture, $"vstore8({value}, 0, (private float*)&{result});\n");
    }

    private static void EmitBFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        // Two elements a word: the lower one is shifted into place, the upper one is in place already.
        var ptx = new PtxLoad(generator, call);
        ptx.Begin(".reg .b32 word<4>, bits; .reg .b16 unit;");
        ptx.Line("ld.global.nc.L1::no_allocate.v4.b32 {word0, word1, word2, word3}, [first];");
        for (int i = 0; i < 8; i++)
        {
            ptx.Line(i % 2 == 0 ? $"shl.b32 bits, word{i / 2}, 16;" : $"and.b32 bits, word{i / 2}, 0xFFFF0000;");
            ptx.Line($"mov.b32 {ptx.Results[i]}, bits;");
        }

        ptx.Unaligned();
        for (int i = 0; i < 8; i++)
        {
            ptx.Line($"ld.global.nc.b16 unit, [first + {2 * i}]; cvt.u32.u16 bits, unit; shl.b32 bits, bits, 16;");
            ptx.Line($"mov.b32 {ptx.Results[i]}, bits;");
        }

        ptx.End();
    }

    private static void EmitFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        var ptx = new PtxLoad(generator, call);
        ptx.Begin(".reg .b32 word<4>; .reg .b16 low, high;");
        ptx.Line("ld.global.nc.L1::no_allocate.v4.b32 {word0, word1, word2, word3}, [first];");
        for (int i = 0; i < 8; i += 2)
        {
            ptx.Line($"mov.b32 {{low, high}}, word{i / 2};");
            ptx.Line($"cvt.f32.f16 {ptx.Results[i]}, low; cvt.f32.f16 {ptx.Results[i + 1]}, high;");
        }

        ptx.Unaligned();
        for (int i = 0; i < 8; i++)
        {
            ptx.Line($"ld.global.nc.b16 low, [first + {2 * i}]; cvt.f32.f16 {ptx.Results[i]}, low;");
        }

        ptx.End();
    }

    private static void EmitFloat32(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        EmitFloats(generator, call, "ld.global.nc.L1::no_allocate", "ld.global.nc");

    private static void EmitActivations(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        EmitFloats(generator, call, "ld.global", "ld.global");

    private static void EmitFloats(PTXCodeGenerator generator, Value call, string wide, string single)
    {
        var ptx = new PtxLoad(generator, call);
        ptx.Begin("");
        ptx.Line($"{wide}.v4.f32 {{{string.Join(", ", ptx.Results[..4])}}}, [first];");
        ptx.Line($"{wide}.v4.f32 {{{string.Join(", ", ptx.Results[4..])}}}, [first + 16];");
        ptx.Unaligned();
        for (int i = 0; i < 8; i++)
        {
            ptx.Line($"{single}.f32 {ptx.Results[i]}, [first + {4 * i}];");
        }

        ptx.End();
    }

    /// <summary>The frame of a load: one path where the address is a multiple of 16, one where it is not.</summary>
    private sealed class PtxLoad
    {
        private readonly StringBuilder text;
        private readonly string address;

        public PtxLoad(PTXCodeGenerator generator, Value call)
        {
            text = generator.Builder;
            address = Name(generator.LoadHardware(call[0]));
            var result = (PTXCodeGenerator.CompoundRegister)generator.Allocate(call);
            Results =
            [
                .. result.Children.Select(child =>
                    Name(generator.EnsureHardwareRegister((PTXCodeGenerator.PrimitiveRegister)child))),
            ];
        }

        public string[] Results { get; }

        // Names and labels inside braces are local, so the body may be inlined many times.
        public void Begin(string registers) => text.Append(CultureInfo.InvariantCulture, $$"""
            {
            .reg .u64 first, low_bits; .reg .pred unaligned; {{registers}}
            cvta.to.global.u64 first, {{address}};
            and.b64 low_bits, first, 15;
            setp.ne.u64 unaligned, low_bits, 0;
            @unaligned bra SINGLE;

            """);

        public void Line(string instruction) => text.Append(instruction).Append('\n');

        public void Unaligned() => text.Append("bra LOADED;\nSINGLE:\n");

        public void End() => text.Append("LOADED:\n}\n");

        private static string Name(PTXCodeGenerator.HardwareRegister register) =>
            "%" + PTXRegisterAllocator.GetStringRepresentation(register);
    }
}
