using System.CommandLine;
using System.Globalization;
using DeRa.Benchmarks;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Kernels;
using DeRa.Models;
using Spectre.Console;

namespace DeRa.Cli.Commands;

/// <summary><c>dera bench</c>: fused beside naive and single, every figure as a share of the device's own ceilings.</summary>
internal sealed class BenchCommand
{
    private const string DefaultShape = "15m", OpenBlasPeer = "openblas";
    private static readonly BenchmarkOptions Defaults = new();
    private static readonly IReadOnlyList<string> ModeNames = [.. Defaults.Modes.Where(mode => mode != Mode.OpenBlas).Select(mode => mode.Label())];
    private static readonly ServeOptions ServeDefaults = new();

    private readonly Option<string?> reference = new("--reference") { Description = "Folder of the reference model", HelpName = "DIR" };
    private readonly Option<string?> aligned = new("--aligned") { Description = "Folder of the aligned model", HelpName = "DIR" };
    private readonly Option<string?> shape = new("--shape") { Description = $"Llama shape with random bf16 weights, in place of folders: {string.Join(", ", ModelShape.All.Select(s => s.Name))} (default {DefaultShape})", HelpName = "SHAPE" };
    private readonly Option<string> workload = new("--workload") { Description = $"Which of {string.Join(",", BenchmarkOptions.AllWorkloads)}", DefaultValueFactory = _ => string.Join(',', BenchmarkOptions.AllWorkloads), HelpName = "LIST" };
    private readonly Option<string> mode = new("--mode") { Description = $"Which of {string.Join(",", ModeNames)}", DefaultValueFactory = _ => string.Join(',', ModeNames), HelpName = "LIST" };
    private readonly Option<string> batch = Numbers("--batch", "decode: sequences together", Defaults.Batches);
    private readonly Option<int> context = Number("--context", "decode: positions in the cache of each sequence", Defaults.Context);
    private readonly Option<string> prompt = Numbers("--prompt-tokens", "prefill: lengths of the prompt", Defaults.PromptLengths);
    private readonly Option<string> lambdas = Numbers("--lambdas", "score: numbers of λ", Defaults.LambdaCounts);
    private readonly Option<string> vocabulary = Numbers("--vocabulary", "head: rows of the output matrices", Defaults.Vocabularies);
    private readonly Option<string> rows = Numbers("--rows", "head: hidden states", Defaults.Rows);
    private readonly Option<int> requests = Number("--requests", "serve: requests per case", ServeDefaults.Requests);
    private readonly Option<string> concurrency = Numbers("--concurrency", "serve: requests open at any time", ServeDefaults.Concurrency);
    private readonly Option<string> rate = new("--rate") { Description = "serve: requests that arrive per second, at random", DefaultValueFactory = _ => string.Join(',', ServeDefaults.Rates.Select(rate => rate.ToString(CultureInfo.InvariantCulture))), HelpName = "LIST" };
    private readonly Option<int> longestPrompt = Number("--longest-prompt", $"serve: tokens of the longest prompt, lengths are uniform from {ServeOptions.Shortest} on", ServeDefaults.LongestPrompt);
    private readonly Option<int> longestOutput = Number("--longest-output", $"serve: tokens of the longest output, lengths are uniform from {ServeOptions.Shortest} on", ServeDefaults.LongestOutput);
    private readonly Option<float> topP = new("--top-p") { Description = "serve: top-p of the requests", DefaultValueFactory = _ => ServeDefaults.TopP, HelpName = "P" };
    private readonly Option<string> serveLambda = LambdaList.Option(string.Join(',', ServeDefaults.Lambdas.Select(lambda => lambda.ToString(CultureInfo.InvariantCulture))));
    private readonly Option<int> repeats = Number("--repeats", "Timings per mode and case, at least 5", Defaults.Repeats);
    private readonly Option<string?> against = DeviceFlags.CreateDevice("--against", "Another device that does the same in turn, cpu for example");
    private readonly Option<string?> peer = new("--peer") { Description = $"prefill: {OpenBlasPeer} computes the same projections beside it", HelpName = "PEER" };
    private readonly Option<bool> json = new("--json") { Description = "One JSON line per measurement, after one of the ceilings" };
    private readonly Option<string?> html = new("--html") { Description = "Page to write, plots included", HelpName = "FILE" };
    private readonly DeviceFlags device = new(forPair: true);

    public static Command Create()
    {
        var command = new Command("bench", "Measure fused and naive realignment against the device's own ceilings");
        var flags = new BenchCommand();
        foreach (Option option in (Option[])
            [flags.reference, flags.aligned, flags.shape, flags.workload, flags.mode, flags.batch, flags.context, flags.prompt, flags.lambdas, flags.vocabulary, flags.rows, flags.requests, flags.concurrency, flags.rate, flags.serveLambda, flags.longestPrompt, flags.longestOutput, flags.topP, flags.repeats, flags.against, flags.peer, flags.json, flags.html])
        {
            command.Options.Add(option);
        }

        flags.device.AddTo(command);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        DeviceArguments where = device.Read(parsed);
        ServeOptions serve = ReadServe(parsed);
        BenchmarkOptions options = ReadOptions(parsed) with { WeightType = where.WeightType };
        ModelShape? random = ReadShape(parsed);
        string? file = parsed.GetValue(html);
        if (file is not null)
        {
            CompleteFile.RequirePlace(file);
        }

        var page = new BenchPage(file);
        if (options.Workloads.Any(name => name != SpeculateBench.Workload))
        {
            await MeasureAsync(parsed, where, options, serve, random, page, cancellationToken);
        }

        if (options.Workloads.Contains(SpeculateBench.Workload))
        {
            bool given = parsed.GetResult(batch) is { Implicit: false };
            var speculate = new SpeculateOptions { Repeats = options.Repeats, WeightType = where.WeightType };
            speculate = given ? speculate with { Batches = options.Batches } : speculate;
            await SpeculateBench.RunAsync(where, speculate, CreatePair, parsed.GetValue(json), page, cancellationToken);
        }

        return ExitCode.Done;

        PairFolders CreatePair(PairDevices devices, float noise) => random is null
            ? ExistingPair(parsed)
            : RandomPair(random, devices, () => PairFolders.Near(random, noise));
    }

    private async Task MeasureAsync(
        ParseResult parsed, DeviceArguments where, BenchmarkOptions options, ServeOptions serve, ModelShape? random, BenchPage page,
        CancellationToken cancellationToken)
    {
        bool asJson = parsed.GetValue(json);
        using PairDevices devices = where.OpenPair(Note);
        if (parsed.GetValue(against) is { } another && devices.AreTwo)
        {
            throw new InputException($"--against {another}: expected a pair on one device, found {DeviceNames.Of(devices).Id}");
        }

        using PairDevices? otherDevices = parsed.GetValue(against) is { } name ? PairDevices.Open(name, name, Note, where.CaptureSteps) : null;
        DeviceCeilings ceilings = Ceilings(devices);
        ShowCeilings(devices, ceilings, asJson);
        MeasuredDevice? other = otherDevices is null ? null : new MeasuredDevice(otherDevices, ceilings.Beside(devices.Head.Device, otherDevices.Head.Device));
        if (other is not null)
        {
            ShowCeilings(other.Devices, other.Ceilings, asJson);
        }

        if (options.OpenBlasPeer)
        {
            using var blas = OpenBlas.Load();
            Note($"peer {OpenBlasPeer}: {blas.Description}");
        }

        using PairFolders pair = random is null ? ExistingPair(parsed) : RandomPair(random, devices, () => PairFolders.Random(random));

        var cases = new List<IReadOnlyList<Measurement>>();
        foreach (IReadOnlyList<Measurement> measured in new Benchmark(devices, pair, ceilings, options, other).Run(cancellationToken))
        {
            cases.Add(measured);
            Note($"{measured[0].Workload}: {measured[0].CaseLabel}");
            if (asJson)
            {
                foreach (Measurement measurement in measured)
                {
                    Json.WriteLine(measurement);
                }
            }
        }

        if (cases.Count == 0 && !options.Workloads.Contains(ServeBench.Workload))
        {
            throw new InputException($"--mode {parsed.GetValue(mode)}: no case of --workload {parsed.GetValue(workload)} offers it for this pair");
        }

        if (!asJson)
        {
            BenchTable.Write(cases);
        }

        string title = Title(devices, other?.Devices);
        if (cases.Count > 0)
        {
            page.Add(title, report => report with { Ceilings = ceilings, Cases = cases });
        }

        if (options.Workloads.Contains(ServeBench.Workload))
        {
            IReadOnlyList<ServeMeasurement> served =
                await ServeBench.RunAsync(DeviceNames.Of(devices), pair, serve, where.WeightType, asJson, cancellationToken);
            page.Add(title, report => report with { Serve = served });
        }
    }

    /// <summary>Devices in words.</summary>
    internal static string Title(PairDevices devices, PairDevices? other)
    {
        DeviceDescription[] all = [.. devices.Sets.Concat(other?.Sets ?? []).Select(set => set.Device)];
        return all.Length == 1 ? all[0].Name : string.Join(" and ", all.Select(device => $"{device.Id} ({device.Name})"));
    }

    private static DeviceCeilings Ceilings(PairDevices devices)
    {
        if (devices.AreTwo)
        {
            return DeviceCeilings.OfTwo(devices.Reference.Device, devices.Aligned.Device);
        }

        Note("measuring the device's ceilings");
        return DeviceCeilings.Measure(devices.Head.Device);
    }

    private PairFolders ExistingPair(ParseResult parsed) =>
        PairFolders.Existing(PairFlags.RequireFolder(parsed.GetValue(reference)!), PairFlags.RequireFolder(parsed.GetValue(aligned)!));

    private static PairFolders RandomPair(ModelShape shape, PairDevices devices, Func<PairFolders> write)
    {
        long bytes = (devices.AreTwo ? 1 : 2) * shape.CheckpointBytes;
        if (devices.Sets.Select(set => set.Device).FirstOrDefault(device => bytes > device.MemoryBytes) is { } small)
        {
            throw new DeviceException(
                $"--shape {shape.Name}: {(devices.AreTwo ? "a model" : "a pair")} takes {bytes} bytes of weights, {small.Id} has {small.MemoryBytes} bytes of memory");
        }

        Note($"writing a random pair of shape {shape.Name}, {Figures.Rate(2 * shape.CheckpointBytes, "B")}, to {Path.GetTempPath()}");
        return write();
    }

    private ModelShape? ReadShape(ParseResult parsed)
    {
        string? referenceFolder = parsed.GetValue(reference), alignedFolder = parsed.GetValue(aligned), name = parsed.GetValue(shape);
        if ((referenceFolder is null) != (alignedFolder is null))
        {
            throw new InputException($"--{(referenceFolder is null ? "reference" : "aligned")}: expected beside --{(referenceFolder is null ? "aligned" : "reference")}");
        }

        if (referenceFolder is not null)
        {
            return name is null ? null : throw new InputException($"--shape {name}: expected folders or a shape, found both");
        }

        name ??= DefaultShape;
        return ModelShape.All.FirstOrDefault(candidate => candidate.Name == name)
            ?? throw new InputException($"--shape {name}: expected one of {string.Join(", ", ModelShape.All.Select(candidate => candidate.Name))}");
    }

    private BenchmarkOptions ReadOptions(ParseResult parsed)
    {
        return new BenchmarkOptions
        {
            Workloads = ReadNames(parsed, workload, BenchmarkOptions.AllWorkloads),
            Modes = [.. ReadNames(parsed, mode, ModeNames).Select(name => Defaults.Modes.First(candidate => candidate.Label() == name)), Mode.OpenBlas], // --peer adds that one
            Batches = Read(parsed, batch),
            Context = AtLeast(parsed, context, 1),
            PromptLengths = Read(parsed, prompt),
            LambdaCounts = Read(parsed, lambdas),
            Vocabularies = Read(parsed, vocabulary),
            Rows = Read(parsed, rows),
            Repeats = AtLeast(parsed, repeats, Defaults.Repeats),
            OpenBlasPeer = parsed.GetValue(peer) switch
            {
                null => false,
                OpenBlasPeer => true,
                var other => throw new InputException($"--peer {other}: expected {OpenBlasPeer}"),
            },
        };
    }

    private ServeOptions ReadServe(ParseResult parsed)
    {
        string rates = parsed.GetValue(rate)!;
        return new ServeOptions
        {
            Requests = AtLeast(parsed, requests, 1),
            Concurrency = Read(parsed, concurrency),
            Rates =
            [
                .. rates.Split(',', StringSplitOptions.TrimEntries).Select(part =>
                    double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && value > 0
                        ? value
                        : throw new InputException($"--rate {rates}: expected a list of numbers above 0, as in 2,8, found '{part}'")),
            ],
            Lambdas = LambdaList.Parse(parsed.GetValue(serveLambda)!),
            LongestPrompt = AtLeast(parsed, longestPrompt, ServeOptions.Shortest),
            LongestOutput = AtLeast(parsed, longestOutput, ServeOptions.Shortest),
            TopP = parsed.GetValue(topP) is > 0 and <= 1 and var p ? p : throw new InputException($"--top-p {parsed.GetValue(topP)}: expected a number above 0 and at most 1"),
        };
    }

    private static void ShowCeilings(PairDevices devices, DeviceCeilings ceilings, bool asJson)
    {
        DeviceDescription[] all = [.. devices.Sets.Select(set => set.Device)];
        if (asJson)
        {
            Json.WriteLine(new
            {
                device = DeviceNames.Of(devices).Id,
                name = string.Join(" and ", all.Select(device => device.Name)),
                ceilings.ReadBytesPerSecond,
                ceilings.FlopsPerSecond,
                ceilings.Method,
            });
        }
        else
        {
            Console.Out.WriteLine(string.Join(" and ", all.Select(device => $"{device.Id} ({device.Name}, {device.Detail})")));
            Console.Out.WriteLine($"ceilings: {Figures.Rate(ceilings.ReadBytesPerSecond, "B/s")}, {Figures.Rate(ceilings.FlopsPerSecond, "FLOP/s")} ({ceilings.Method})");
        }
    }

    private static void Note(string line) => Console.Error.WriteLine(line);

    private static int AtLeast(ParseResult parsed, Option<int> option, int least) => parsed.GetValue(option) is var value && value >= least
        ? value
        : throw new InputException($"{option.Name} {value}: expected at least {least}");

    private static string[] ReadNames(ParseResult parsed, Option<string> option, IReadOnlyList<string> allowed)
    {
        string[] names = parsed.GetValue(option)!.Split(',', StringSplitOptions.TrimEntries);
        return names.FirstOrDefault(name => !allowed.Contains(name)) is { } unknown
            ? throw new InputException($"{option.Name} {parsed.GetValue(option)}: expected a list of {string.Join(", ", allowed)}, found '{unknown}'")
            : names;
    }

    private static int[] Read(ParseResult parsed, Option<string> option)
    {
        string text = parsed.GetValue(option)!;
        return [.. text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
                ? value
                : throw new InputException($"{option.Name} {text}: expected a list of numbers of at least 1, as in 1,8, found '{part}'"))];
    }

    private static Option<string> Numbers(string name, string description, IReadOnlyList<int> defaults) =>
        new(name) { Description = description, DefaultValueFactory = _ => string.Join(',', defaults), HelpName = "LIST" };

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value, HelpName = "N" };
}
