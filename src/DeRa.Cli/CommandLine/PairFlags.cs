using System.CommandLine;
using System.Text.RegularExpressions;
using DeRa.Engine;
using DeRa.Kernels;

namespace DeRa.Cli.CommandLine;

/// <summary>The flags that say which models run where; the bundled pair by default.</summary>
internal sealed class PairFlags
{
    private readonly Option<string?> reference = new("--reference") { Description = "Folder of the reference model (default: the bundled pair's)", HelpName = "DIR" };
    private readonly Option<string?> aligned = new("--aligned") { Description = "Folder of the aligned model (default: the bundled pair's)", HelpName = "DIR" };
    private readonly DeviceFlags device = new();

    public void AddTo(Command command)
    {
        command.Options.Add(reference);
        command.Options.Add(aligned);
        device.AddTo(command);
    }

    public PairArguments Read(ParseResult parsed)
    {
        string? referenceFolder = parsed.GetValue(reference), alignedFolder = parsed.GetValue(aligned);
        if ((referenceFolder is null) != (alignedFolder is null))
        {
            throw new InputException(
                $"--{(referenceFolder is null ? "reference" : "aligned")}: expected beside --{(referenceFolder is null ? "aligned" : "reference")}; a pair needs both, or neither for the bundled one");
        }

        return new PairArguments(
            RequireFolder(referenceFolder ?? BundledPair.Reference), RequireFolder(alignedFolder ?? BundledPair.Aligned), device.Read(parsed));
    }

    public static string RequireFolder(string folder) =>
        Directory.Exists(folder) ? folder : throw new InputException($"{folder}: expected a checkpoint folder, found {(File.Exists(folder) ? "a file" : "nothing")}");
}

/// <summary>A pair of folders on a device.</summary>
internal sealed record PairArguments(string ReferenceFolder, string AlignedFolder, DeviceArguments Device)
{
    /// <summary>The engine for this pair; what it says of its device goes to stderr.</summary>
    public EngineOptions EngineOptions(PairText text, int cachePositions, SpeculationOptions? speculation = null) => new()
    {
        Speculation = speculation ?? new SpeculationOptions(),
        ReferenceFolder = ReferenceFolder,
        AlignedFolder = AlignedFolder,
        Text = text,
        Device = Device.Device,
        WeightType = Device.WeightType,
        CachePositions = cachePositions,
        Log = line => Console.Error.WriteLine(line),
    };
}

/// <summary><c>--device</c> and <c>--dtype</c>.</summary>
internal sealed partial class DeviceFlags
{
    private readonly Option<string> device = CreateDevice();
    private readonly Option<string> dtype = new("--dtype") { Description = "Storage of the weights on the device: auto (as in the checkpoint), f32, f16 or bf16", DefaultValueFactory = _ => "auto" };

    public DeviceFlags() => dtype.AcceptOnlyFromAmong("auto", "f32", "f16", "bf16");

    public void AddTo(Command command)
    {
        command.Options.Add(device);
        command.Options.Add(dtype);
    }

    /// <summary><c>--device</c>; a name of another form is a mistake of the command line, not of the machine.</summary>
    public static Option<string> CreateDevice()
    {
        var device = new Option<string>("--device") { Description = "auto, cpu, opencl[:i] or cuda[:i]", DefaultValueFactory = _ => "auto", HelpName = "DEVICE" };
        device.Validators.Add(result =>
        {
            string value = result.GetValueOrDefault<string>();
            if (!DeviceForm().IsMatch(value))
            {
                result.AddError($"--device: expected auto, cpu, opencl[:number] or cuda[:number], found '{value}'");
            }
        });
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
        });

    [GeneratedRegex("^(auto|cpu|(opencl|cuda)(:[0-9]{1,9})?)\\z")]
    private static partial Regex DeviceForm();
}

/// <summary>Where to run, and the weights' storage type there; null keeps the checkpoint's.</summary>
internal sealed record DeviceArguments(string Device, DType? WeightType);
