using System.Globalization;
using DeRa.Kernels.Cuda;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>Eight consecutive weights as they lie in memory, to be decoded when they are needed: types of 16 bits fill the first half.</summary>
internal struct StoredEight
{
    public Quad Low;
    public Quad High;

    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context, typeof(StoredEight), (nameof(DecodeFloat16), nameof(EmitOpenClFloat16), nameof(EmitFloat16)));

    /// <summary>From an element that lies at a multiple of sixteen bytes, and so do all eights counted from it.</summary>
    public static StoredEight OfTwoBytes(ArrayView<ushort> data, long element) => new() { Low = data.Cast<Quad>()[element / 8] };

    /// <summary>The same of a type of four bytes.</summary>
    public static StoredEight OfFourBytes(ArrayView<ushort> data, long element) =>
        new() { Low = data.Cast<Quad>()[element / 4], High = data.Cast<Quad>()[element / 4 + 1] };

    /// <summary>Eight activations.</summary>
    public static StoredEight OfActivations(ArrayView<float> data, long element) =>
        new() { Low = data.Cast<Quad>()[element / 4], High = data.Cast<Quad>()[element / 4 + 1] };

    /// <summary>Eight of binary32.</summary>
    public static Eight Float32(StoredEight stored) => new()
    {
        A = Interop.IntAsFloat(stored.Low.X),
        B = Interop.IntAsFloat(stored.Low.Y),
        C = Interop.IntAsFloat(stored.Low.Z),
        D = Interop.IntAsFloat(stored.Low.W),
        E = Interop.IntAsFloat(stored.High.X),
        F = Interop.IntAsFloat(stored.High.Y),
        G = Interop.IntAsFloat(stored.High.Z),
        H = Interop.IntAsFloat(stored.High.W),
    };

    /// <summary>Eight of bfloat16: two a word, of which the upper one is in place already.</summary>
    public static Eight BFloat16(StoredEight stored) => new()
    {
        A = Interop.IntAsFloat(stored.Low.X << 16),
        B = Interop.IntAsFloat(stored.Low.X & 0xffff0000u),
        C = Interop.IntAsFloat(stored.Low.Y << 16),
        D = Interop.IntAsFloat(stored.Low.Y & 0xffff0000u),
        E = Interop.IntAsFloat(stored.Low.Z << 16),
        F = Interop.IntAsFloat(stored.Low.Z & 0xffff0000u),
        G = Interop.IntAsFloat(stored.Low.W << 16),
        H = Interop.IntAsFloat(stored.Low.W & 0xffff0000u),
    };

    /// <summary>Eight of binary16.</summary>
    public static Eight Float16(StoredEight stored) => DecodeFloat16(stored.Low);

    /// <summary>Eight of binary16 from four words; devices have an instruction for it.</summary>
    [IntrinsicImplementation, External("storedFloat16")]
    public static Eight DecodeFloat16(Quad words) => new()
    {
        A = WeightBits.Float16((ushort)words.X),
        B = WeightBits.Float16((ushort)(words.X >> 16)),
        C = WeightBits.Float16((ushort)words.Y),
        D = WeightBits.Float16((ushort)(words.Y >> 16)),
        E = WeightBits.Float16((ushort)words.Z),
        F = WeightBits.Float16((ushort)(words.Z >> 16)),
        G = WeightBits.Float16((ushort)words.W),
        H = WeightBits.Float16((ushort)(words.W >> 16)),
    };

    // Both structs are numbers in order.
    private static void EmitOpenClFloat16(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string words = generator.Load(call[0]).ToString()!;
        var result = generator.Allocate(call);
        using (var statement = generator.BeginStatement(result))
        {
            statement.AppendCommand(result.ToString()!); // a statement makes the generator declare the variable
        }

        generator.Builder.Append(
            CultureInfo.InvariantCulture, $"vstore8(vload_half8(0, (private const half*)&{words}), 0, (private float*)&{result});\n");
    }

    private static void EmitFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] words = Ptx.Fields(generator, call[0]), results = Ptx.Results(generator, call);
        generator.Builder.Append("{ .reg .b16 low, high;\n");
        for (int i = 0; i < words.Length; i++)
        {
            generator.Builder.Append(
                CultureInfo.InvariantCulture,
                $"mov.b32 {{low, high}}, {words[i]}; cvt.f32.f16 {results[2 * i]}, low; cvt.f32.f16 {results[2 * i + 1]}, high;\n");
        }

        generator.Builder.Append("}\n");
    }
}
