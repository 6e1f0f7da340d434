using System.Globalization;
using System.Reflection;
using System.Text;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
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

    /// <summary>sum + Σ of the products, in order.</summary>
    public static float Dot(Eight x, Eight y, float sum)
    {
        sum += x.A * y.A;
        sum += x.B * y.B;
        sum += x.C * y.C;
        sum += x.D * y.D;
        sum += x.E * y.E;
        sum += x.F * y.F;
        sum += x.G * y.G;
        sum += x.H * y.H;
        return sum;
    }
}

/// <summary>
/// Loads eight consecutive elements. On CUDA an aligned eight comes in 16-byte loads, weights past the first-level cache, which they would only
/// displace; elsewhere one by one.
/// </summary>
internal static class WeightEight
{
    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context)
    {
        IntrinsicImplementationManager manager = context.GetIntrinsicManager();
        foreach ((string method, string single, string wide) in new[]
        {
            (nameof(BFloat16), nameof(SingleBFloat16), nameof(EmitBFloat16)),
            (nameof(Float16), nameof(SingleFloat16), nameof(EmitFloat16)),
            (nameof(Float32), nameof(SingleFloat32), nameof(EmitFloat32)),
            (nameof(Activations), nameof(SingleActivations), nameof(EmitActivations)),
        })
        {
            MethodInfo target = typeof(WeightEight).GetMethod(method)!;
            manager.RegisterMethod(target, new CLIntrinsic(typeof(WeightEight), single, IntrinsicImplementationMode.Redirect));
            manager.RegisterMethod(target, new PTXIntrinsic(typeof(WeightEight), wide, IntrinsicImplementationMode.GenerateCode));
        }
    }

    /// <summary>Elements element … element + 7 of bfloat16; <paramref name="at"/> is the first of them.</summary>
    [IntrinsicImplementation]
    public static Eight BFloat16(ref ushort at, ArrayView<ushort> data, long element) => SingleBFloat16(ref at, data, element);

    /// <summary>Elements element … element + 7 of binary16.</summary>
    [IntrinsicImplementation]
    public static Eight Float16(ref ushort at, ArrayView<ushort> data, long element) => SingleFloat16(ref at, data, element);

    /// <summary>Elements element … element + 7 of binary32, two units each.</summary>
    [IntrinsicImplementation]
    public static Eight Float32(ref ushort at, ArrayView<ushort> data, long element) => SingleFloat32(ref at, data, element);

    /// <summary>Eight activations.</summary>
    [IntrinsicImplementation]
    public static Eight Activations(ref float at, ArrayView<float> data, long element) => SingleActivations(ref at, data, element);

    private static Eight SingleBFloat16(ref ushort at, ArrayView<ushort> data, long element) => Decode<BFloat16Format>(data, element);

    private static Eight SingleFloat16(ref ushort at, ArrayView<ushort> data, long element) => Decode<Float16Format>(data, element);

    private static Eight SingleFloat32(ref ushort at, ArrayView<ushort> data, long element) => Decode<Float32Format>(data, element);

    private static Eight SingleActivations(ref float at, ArrayView<float> data, long element) => new()
    {
        A = data[element],
        B = data[element + 1],
        C = data[element + 2],
        D = data[element + 3],
        E = data[element + 4],
        F = data[element + 5],
        G = data[element + 6],
        H = data[element + 7],
    };

    private static Eight Decode<TFormat>(ArrayView<ushort> data, long element)
        where TFormat : struct, IWeightFormat => new()
        {
            A = TFormat.Load(data, element),
            B = TFormat.Load(data, element + 1),
            C = TFormat.Load(data, element + 2),
            D = TFormat.Load(data, element + 3),
            E = TFormat.Load(data, element + 4),
            F = TFormat.Load(data, element + 5),
            G = TFormat.Load(data, element + 6),
            H = TFormat.Load(data, element + 7),
        };

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
