using System.Xml.Linq;
using DeRa.Kernels.Cpu;
using DeRa.Models;

namespace DeRa.Benchmarks.Tests;

/// <summary>A tiny run end to end; what is checked does not depend on how long anything took.</summary>
public sealed class BenchmarkRunTests
{
    private static readonly DeviceCeilings Ceilings = new(1e10, 1e11, "given");
    private IReadOnlyList<IReadOnlyList<Measurement>> cases = [];

    [OneTimeSetUp]
    public void Measure()
    {
        var options = new BenchmarkOptions
        {
            Batches = [1, 3],
            Context = 20,
            PromptLengths = [7, 530],
            LambdaCounts = [1, 3],
            ScoredTokens = 12,
            Vocabularies = [100],
            Rows = [1, 5],
        };
        using var kernels = new CpuKernelSet(2);
        using PairFolders pair = PairFolders.Random(CostTests.Tiny);
        cases = [.. new Benchmark(new PairDevices(kernels, kernels), pair, Ceilings, options).Run()];
    }

    [Test]
    public void Every_workload_runs_every_case_in_every_mode()
    {
        Mode[] all = [Mode.Single, Mode.Naive, Mode.Fused, Mode.FusedSharedHead];
        Assert.That(cases.Select(list => (list[0].Workload, list[0].CaseLabel)), Is.EqualTo(new[]
        {
            ("load", "ready"), ("load", "first token"), ("decode", "batch 1, context 20"), ("decode", "batch 3, context 20"), ("prefill", "tokens 7"),
            ("prefill", "tokens 530"), ("score", "tokens 12, λ 1"), ("score", "tokens 12, λ 3"), ("head", "vocabulary 100, rows 1"),
            ("head", "vocabulary 100, rows 5"),
        }));
        foreach (IReadOnlyList<Measurement> measurements in cases)
        {
            Assert.That(measurements.Select(measurement => measurement.Mode), Is.EqualTo(measurements[0].Workload switch
            {
                "load" => [Mode.Single, Mode.Pair],
                "score" => [Mode.Naive, Mode.Fused],
                _ => all,
            }));
        }
    }

    [Test]
    public void Figures_agree_with_each_other()
    {
        foreach (Measurement m in cases.SelectMany(list => list))
        {
            Assert.That(m.MinSeconds, Is.GreaterThan(0).And.LessThanOrEqualTo(m.MedianSeconds), m.CaseLabel);
            Assert.That(m.MaxSeconds, Is.GreaterThanOrEqualTo(m.MedianSeconds), m.CaseLabel);
            Assert.That(m.PeakMemoryBytes, Is.Positive);
            Assert.That(m.Bytes is null, Is.EqualTo(m.Workload == "load"));
            if (m.Bytes is not null)
            {
                Assert.That(m.ShareOfFloor, Is.EqualTo(m.FloorSeconds / m.MedianSeconds));
                Assert.That(m.FloorSeconds, Is.EqualTo(Math.Max(m.Needed.Bytes / 1e10, m.Needed.Flops / 1e11)));
            }
        }
    }

    [Test]
    public void A_fused_step_is_one_launch_and_a_naive_one_four()
    {
        foreach (Measurement m in cases.SelectMany(list => list).Where(m => m.Workload == "decode"))
        {
            Assert.That(m.LaunchesPerRun, Is.EqualTo(m.Mode == Mode.Naive ? 4 : 1));
        }
    }

    [Test]
    public void Naive_moves_its_logits_and_a_shared_head_is_read_once()
    {
        Dictionary<Mode, Measurement> decode = cases.Single(list => list[0].Workload == "decode" && list[0].Batch == 3).ToDictionary(m => m.Mode);
        const int HeadBytes = 80 * 32 * 2;
        Assert.That(decode[Mode.Naive].Bytes, Is.EqualTo(decode[Mode.Fused].Bytes + (6 * 3 * 80 * 4)));
        Assert.That(decode[Mode.Naive].FloorSeconds, Is.EqualTo(decode[Mode.Fused].FloorSeconds));
        Assert.That(decode[Mode.FusedSharedHead].Bytes, Is.EqualTo(decode[Mode.Fused].Bytes - HeadBytes));
        Assert.That(decode[Mode.Fused].Bytes, Is.EqualTo(2 * decode[Mode.Single].Bytes));
        Assert.That(decode[Mode.Fused].Flops, Is.EqualTo(2 * decode[Mode.Single].Flops));
    }

    [Test]
    public void Only_fused_ways_are_compared_with_naive()
    {
        foreach (Measurement m in cases.SelectMany(list => list))
        {
            Assert.That(m.Fusion is not null, Is.EqualTo(m.Mode is Mode.Fused or Mode.FusedSharedHead));
        }
    }

    [Test]
    public void The_page_is_well_formed_self_contained_and_complete()
    {
        var writer = new StringWriter();
        HtmlReport.Write(writer, new BenchReport { Device = "a <device>", Ceilings = Ceilings, Cases = cases });
        string page = writer.ToString();
        XElement body = XElement.Parse(page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("</html>", StringComparison.Ordinal)]);
        Assert.That(body.Descendants("svg").Count(), Is.EqualTo(9), "five of times, and a roofline for all but load");
        Assert.That(body.Descendants("circle").Count(), Is.EqualTo(cases.Where(list => list[0].Workload != "load").Sum(list => list.Count)));
        Assert.That(body.Descendants("rect").Count(), Is.EqualTo(cases.Sum(list => list.Count)));
        Assert.That(body.Descendants("td").Count(), Is.EqualTo(cases.Sum(list => list.Count) * FigureTable.Titles.Count));
        Assert.That(body.Element("h1")!.Value, Does.Contain("a <device>"));
        Assert.That(page, Does.Contain("prefers-color-scheme: dark").And.Not.Contain("http").And.Not.Contain("<script").And.Not.Contain("NaN"));
    }

    [Test]
    public void The_page_shows_an_engine_under_load_and_speculation()
    {
        var percentiles = new Percentiles(0.002, 0.004, 0.02);
        var serve = new ServeMeasurement
        {
            Device = "cpu",
            Model = "a pair",
            Concurrency = 16,
            Rate = null,
            Requests = 5,
            PromptTokens = 40,
            GeneratedTokens = 300,
            Seconds = 2,
            TimeToFirstToken = percentiles,
            TimePerOutputToken = percentiles,
            Latency = percentiles,
            Steps = 90,
            PrefixHitTokens = 0,
            Preemptions = 7,
        };
        SpeculateMeasurement[] speculate = [.. new[] { ("plain", (double?)null, 1.0), ("ratio", 0.9, 1.6) }.Select(way => new SpeculateMeasurement
        {
            Device = "cpu",
            Model = "a <near> pair",
            Batch = 2,
            Mode = way.Item1,
            Tokens = 48,
            Repeats = 5,
            MedianSeconds = 0.5 / way.Item3,
            MinSeconds = 0.4 / way.Item3,
            MaxSeconds = 0.6 / way.Item3,
            Acceptance = way.Item2,
            PassesPerToken = 1.1,
            Speedup = way.Item3,
        })];
        var writer = new StringWriter();
        HtmlReport.Write(writer, new BenchReport { Device = "cpu", Serve = [serve], Speculate = speculate });
        string page = writer.ToString();
        XElement body = XElement.Parse(page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("</html>", StringComparison.Ordinal)]);
        Assert.That(body.Elements("h2").Select(title => title.Value), Is.EqualTo(new[] { "serve", "speculate" }));
        Assert.That(body.Descendants("rect").Count(), Is.EqualTo(3 + 2));
        Assert.That(body.Descendants("td").Select(cell => cell.Value), Is.EqualTo(ServeTable.Cells(serve).Concat(speculate.SelectMany(SpeculateTable.Cells))));
        Assert.That(body.Descendants("text").Select(text => text.Value), Has.Some.EndsWith("1.60 × plain"));
        Assert.That(page, Does.Contain("a &lt;near&gt; pair").And.Not.Contain("Ceilings").And.Not.Contain("NaN"));
    }

    [Test]
    public void A_pair_on_two_devices_runs_every_workload_and_has_no_shares()
    {
        using var devices = new PairDevices(new CpuKernelSet(1), new CpuKernelSet(1));
        using PairFolders pair = PairFolders.Random(CostTests.Tiny);
        var options = new BenchmarkOptions { Batches = [2], PromptLengths = [530], LambdaCounts = [2], ScoredTokens = 5, Vocabularies = [100], Rows = [3] };
        IReadOnlyList<Measurement>[] cases =
            [.. new Benchmark(devices, pair, DeviceCeilings.OfTwo(devices.Reference.Device, devices.Aligned.Device), options).Run()];
        Assert.That(cases.Select(list => list[0].Workload), Is.EqualTo(new[] { "load", "load", "decode", "prefill", "score", "head" }));
        Assert.That(cases.SelectMany(list => list).Select(m => (m.Device, m.ShareOfFloor)), Is.All.EqualTo(("cpu", (double?)null)));
    }

    [Test]
    public void Two_devices_take_turns_at_every_case_and_are_compared_mode_by_mode()
    {
        using var kernels = new CpuKernelSet(2);
        using var other = new CpuKernelSet(1);
        using PairFolders pair = PairFolders.Random(CostTests.Tiny);
        var options = new BenchmarkOptions { Batches = [1], PromptLengths = [7], LambdaCounts = [2], ScoredTokens = 5, Vocabularies = [100], Rows = [3] };
        IReadOnlyList<Measurement>[] both =
            [.. new Benchmark(new PairDevices(kernels, kernels), pair, Ceilings, options, new MeasuredDevice(new PairDevices(other, other), new DeviceCeilings(2e10, 2e11, "given"))).Run()];
        foreach (IReadOnlyList<Measurement> measurements in both)
        {
            int half = measurements.Count / 2;
            for (int i = 0; i < half; i++)
            {
                (Measurement here, Measurement there) = (measurements[i], measurements[half + i]);
                Assert.That(there.Mode, Is.EqualTo(here.Mode));
                Assert.That(here.Against!.Speed, Is.EqualTo(there.MedianSeconds / here.MedianSeconds));
                Assert.That(there.Against, Is.Null);
                Assert.That(there.FloorSeconds ?? 0, Is.EqualTo((here.FloorSeconds ?? 0) / 2).Within(1e-9).Percent);
            }

            Assert.That(FigureTable.DeviceVerdicts(measurements).Count(), Is.EqualTo(half));
        }

        Assert.That(both.Select(list => list[0].Workload), Is.EqualTo(new[] { "load", "load", "decode", "prefill", "score", "head" }));
    }

    [Test]
    public void Stopping_takes_effect_before_the_next_case()
    {
        using var kernels = new CpuKernelSet(1);
        using PairFolders pair = PairFolders.Random(CostTests.Tiny);
        using var stop = new CancellationTokenSource();
        using IEnumerator<IReadOnlyList<Measurement>> run =
            new Benchmark(new PairDevices(kernels, kernels), pair, Ceilings, new BenchmarkOptions { Workloads = ["load"] }).Run(stop.Token).GetEnumerator();
        Assert.That(run.MoveNext(), Is.True);
        stop.Cancel();
        Assert.That(() => run.MoveNext(), Throws.InstanceOf<OperationCanceledException>());
    }
}
