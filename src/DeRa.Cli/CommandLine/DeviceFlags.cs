using System.CommandLine;
using System.Text.RegularExpressions;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Cli.CommandLine;

/// <summary>
/// <c>--device</c> and <c>--dtype</c>, and of a pair <c>--reference-device</c>, <c>--aligned-device</c> and <c>--no-capture</c>.
/// </summary>
internal sealed partial class DeviceFlags
{
    private readonly Option<string> device = CreateDevice();
    private readonly Option<string?> referenceDevice = CreateDevice("--reference-device", "Where the reference model runs (default: --device)");
    private readonly Option<string?> alignedDevice = CreateDevice("--aligned-device", "Where the aligned model runs (default: --device)");
    private readonly Option<string> dtype = new("--dtype") { Description = "Storage of the weights on the device: auto (as in the checkpoint), f32, f16 or bf16", DefaultValueFactory = _ => "auto" };
    private readonly Option<bool> noCapture = new("--no-capture") { Description = "CUDA: launch every operation by itself, no step as a graph; slower, the same results" };
    private readonly bool forPair;

    /// <param name="forPair">Whether each model may have a device of its own.</param>
    public DeviceFlags(bool forPair = false)
    {
        this.forPair = forPair;
        dtype.AcceptOnlyFromAmong("auto", "f32", "f16", "bf16");
    }

    public void AddTo(Command command)
    {
        command.Options.Add(device);
        if (forPair)
        {
            command.Options.Add(referenceDevice);
            command.Options.Add(alignedDevice);
            command.Options.Add(noCapture);
        }

        command.Options.Add(dtype);
    }

    /// <summary><c>--device</c>; a name of another form is a mistake of the command line, not of the machine.</summary>
    public static Option<string> CreateDevice()
    {
        var device = new Option<string>("--device") { Description = "auto, cpu, opencl[:i] or cuda[:i]", DefaultValueFactory = _ => "auto", HelpName = "DEVICE" };
        RequireForm(device);
        return device;
    }

    /// <summary>A flag that names a further device; null where it is not given.</summary>
    public static Option<string?> CreateDevice(string name, string description)
    {
        var device = new Option<string?>(name) { Description = description, HelpName = "DEVICE" };
        RequireForm(device);
        return device;
    }

    public DeviceArguments Read(ParseResult parsed) => new(
        parsed.GetValue(device)!,
        parsed.GetValue(dtype) switch
        {
            "f32" => DType.F32,
            "f16" => DType.F16,
            "bf16" => DType.BF16,
            _ => null,
        },
        forPair ? parsed.GetValue(referenceDevice) : null,
        forPair ? parsed.GetValue(alignedDevice) : null,
        !forPair || !parsed.GetValue(noCapture));

    private static void RequireForm(Option device) => device.Validators.Add(result =>
    {
        string value = result.GetValueOrDefault<string>();
        if (!DeviceForm().IsMatch(value))
        {
            result.AddError($"{device.Name}: expected auto, cpu, opencl[:number] or cuda[:number], found '{value}'");
        }
    });

    [GeneratedRegex("^(auto|cpu|(opencl|cuda)(:[0-9]{1,9})?)\\z")]
    private static partial Regex DeviceForm();
}

/// <summary>Where to run, and the weights' storage type there.</summary>
/// <param name="Device">Where models without a device of their own run.</param>
/// <param name="WeightType">Null keeps the checkpoint's.</param>
/// <param name="ReferenceDevice">Where the reference model runs; null is <paramref name="Device"/>.</param>
/// <param name="AlignedDevice">Where the aligned model runs; null is <paramref name="Device"/>.</param>
/// <param name="CaptureSteps">Whether steps that repeat run as graphs where the device has them.</param>
internal sealed record DeviceArguments(string Device, DType? WeightType, string? ReferenceDevice, string? AlignedDevice, bool CaptureSteps)
{
    /// <summary>Opens a pair's devices.</summary>
    public PairDevices OpenPair(Action<string> log) => PairDevices.Open(ReferenceDevice ?? Device, AlignedDevice ?? Device, log, CaptureSteps);
}
