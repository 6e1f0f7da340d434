using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine.Tests;

/// <summary>What a host sees: registration, meters, logs, and the sample.</summary>
public sealed class HostingTests
{
    private static readonly GenerationRequest Request = new() { PromptTokens = [5, 9, 2], MaxTokens = 6, StopTokens = [] };

    [Test]
    public async Task A_container_makes_one_engine_and_finishes_it()
    {
        var log = new ListLogger();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(log));
        services.AddDeRaEngine(Pairs.Golden("llama_basic"));
        RealignmentEngine engine;
        await using (ServiceProvider provider = services.BuildServiceProvider())
        {
            engine = await provider.GetRequiredService<EngineLoader>().GetAsync();
            Assert.That(provider.GetRequiredService<RealignmentEngine>(), Is.SameAs(engine));
            Assert.That((await engine.CompleteAsync(Request)).Tokens, Has.Count.EqualTo(6));
        }

        Assert.That(async () => await engine.CompleteAsync(Request), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(log.Lines, Has.Some.Contain("512 cache blocks of 16 positions"));
        Assert.That(log.Lines, Has.Some.Contain("6 tokens put out"));
    }

    [Test]
    public async Task A_load_that_failed_is_tried_again()
    {
        await using var loader = new EngineLoader(Pairs.Golden("llama_basic") with { Device = "cuda:9" });
        Assert.That(async () => await loader.GetAsync(), Throws.TypeOf<DeRa.Kernels.DeviceException>());
        Assert.That(async () => await loader.GetAsync(), Throws.TypeOf<DeRa.Kernels.DeviceException>());
    }

    [Test]
    public async Task Meters_report_what_the_engine_does()
    {
        var values = new Dictionary<string, double>();
        using var meters = new OwnMeters();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meters.Meter))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Take(instrument.Name, value));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Take(instrument.Name, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Take(instrument.Name, value));
        listener.Start();
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic") with { MeterFactory = meters });
        await engine.CompleteAsync(Request);
        listener.RecordObservableInstruments();
        lock (values)
        {
            Assert.That(values["dera.engine.tokens.generated"], Is.EqualTo(6));
            Assert.That(values["dera.engine.tokens.prefill.aligned"], Is.EqualTo(3));
            Assert.That(values["dera.engine.cache.blocks"], Is.EqualTo(512));
            Assert.That(values["dera.engine.time_to_first_token"], Is.GreaterThan(0));
            Assert.That(values["dera.engine.time_per_output_token"], Is.GreaterThan(0));
        }

        void Take(string name, double value)
        {
            lock (values)
            {
                values[name] = value;
            }
        }
    }

    [Test]
    public void Options_that_cannot_run_are_refused()
    {
        EngineOptions options = Pairs.Golden("llama_basic");
        Refused(options with { MaxSequences = 0 }, "MaxSequences");
        Refused(options with { AlignedFolder = "" }, "AlignedFolder");
        Refused(options with { MaxSequences = 64, MaxBatchTokens = 63 }, "MaxBatchTokens");
        Refused(options with { CachePositions = 0 }, "CachePositions");
        Refused(options with { CachePositions = null, DeviceMemoryShare = 2 }, "DeviceMemoryShare");

        static void Refused(EngineOptions options, string named) =>
            Assert.That(async () => await RealignmentEngine.LoadAsync(options), Throws.ArgumentException.With.Message.Contains(named));
    }

    [Test]
    public async Task Pools_are_sized_from_memory_where_nothing_is_said()
    {
        EngineOptions options = Pairs.Golden("llama_basic") with { CachePositions = null, MaxSequences = 8 };
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
        Assert.That(engine.Statistics.Blocks, Is.EqualTo(8 * 256 / 16), "eight texts of the longest length that the models were trained on");
        Assert.That(
            async () => await RealignmentEngine.LoadAsync(options with { DeviceMemoryShare = 1e-7 }),
            Throws.TypeOf<DeRa.Kernels.DeviceException>().With.Message.Contains("CachePositions"));
    }

    [Test]
    public async Task The_sample_runs()
    {
        string source = Path.Combine(RepositoryRoot.Path, "tools", "samples", "Generate", "Program.cs");
        Assert.That(await File.ReadAllLinesAsync(source), Has.Length.LessThan(30));
        TextWriter before = Console.Out;
        using var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            MethodInfo main = Assembly.Load("DeRa.Samples.Generate").EntryPoint!;
            main.Invoke(null, [(string[])[Pairs.Bundled().ReferenceFolder, Pairs.Bundled().AlignedFolder, "Tell me about the fox in the garden."]]);
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.That(output.ToString(), Does.Contain("λ = 0.5").And.Contain("fox"));
    }

    private sealed class OwnMeters : IMeterFactory
    {
        public Meter? Meter { get; private set; }

        public Meter Create(MeterOptions options) => Meter = new Meter(options);

        public void Dispose() => Meter?.Dispose();
    }

    private sealed class ListLogger : ILoggerProvider, ILogger
    {
        private readonly List<string> lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (lines)
                {
                    return [.. lines];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines)
            {
                lines.Add(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
