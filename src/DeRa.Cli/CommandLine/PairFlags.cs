using System.CommandLine;
using DeRa.Engine;

namespace DeRa.Cli.CommandLine;

/// <summary>The flags that say which models run where; the bundled pair by default.</summary>
internal sealed class PairFlags
{
    private readonly Option<string?> reference = new("--reference") { Description = "Folder of the reference model (default: the bundled pair's)", HelpName = "DIR" };
    private readonly Option<string?> aligned = new("--aligned") { Description = "Folder of the aligned model (default: the bundled pair's)", HelpName = "DIR" };
    private readonly DeviceFlags device = new(forPair: true);

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

/// <summary>A pair of folders on its devices.</summary>
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
        ReferenceDevice = Device.ReferenceDevice,
        AlignedDevice = Device.AlignedDevice,
        CaptureSteps = Device.CaptureSteps,
        WeightType = Device.WeightType,
        CachePositions = cachePositions,
        Log = line => Console.Error.WriteLine(line),
    };
}
