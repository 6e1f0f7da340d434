using System.Text;

namespace DeRa.Evaluation.Tests;

/// <summary>Whatever happens to a sweep, the same sweep again ends with the same bytes, and draws nothing it holds already.</summary>
public sealed class ResumeTests
{
    private static readonly float[] Lambdas = [0, 1, 2];

    private string folder = "", path = "";

    [SetUp]
    public void MakeFolder()
    {
        folder = Directory.CreateTempSubdirectory().FullName;
        path = Path.Combine(folder, "results.jsonl");
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static SyntheticSource Source() => new(lambda => lambda);

    private async Task<byte[]> UndisturbedAsync(SweepPlan plan)
    {
        string place = Path.Combine(folder, "undisturbed.jsonl");
        File.Delete(place);
        await Sweeps.RunAsync(plan, place, Source(), workers: 1);
        return await File.ReadAllBytesAsync(place);
    }

    [Test]
    public async Task A_file_cut_at_any_byte_is_completed_to_the_same_bytes()
    {
        SweepPlan plan = Sweeps.Plan(4, Lambdas, samples: 2);
        byte[] whole = await UndisturbedAsync(plan);
        for (int length = 0; length <= whole.Length; length += length % 97 == 0 ? 13 : 7)
        {
            await File.WriteAllBytesAsync(path, whole[..length]);
            SyntheticSource source = Source();
            await Sweeps.RunAsync(plan, path, source, workers: 1 + (length % 5));
            Assert.That(await File.ReadAllBytesAsync(path), Is.EqualTo(whole), $"cut at {length}");
            Assert.That(source.Drawn, Is.EqualTo(plan.UnitCount - whole.AsSpan(0, length).Count((byte)'\n')), $"cut at {length}");
        }
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(16)]
    public async Task The_number_of_workers_does_not_show(int workers)
    {
        SweepPlan plan = Sweeps.Plan(20, Lambdas, samples: 2);
        byte[] whole = await UndisturbedAsync(plan);
        var random = new Random(5);
        var source = new SyntheticSource(lambda => lambda) { Before = (_, token) => Task.Delay(random.Next(4), token) };
        await Sweeps.RunAsync(plan, path, source, workers);
        Assert.That(await File.ReadAllBytesAsync(path), Is.EqualTo(whole));
    }

    [Test]
    public async Task An_interrupted_sweep_keeps_what_was_finished()
    {
        SweepPlan plan = Sweeps.Plan(20, Lambdas);
        byte[] whole = await UndisturbedAsync(plan);
        using var stop = new CancellationTokenSource();
        var source = new SyntheticSource(lambda => lambda)
        {
            Before = (unit, token) =>
            {
                if (unit.Prompt.Index == 9)
                {
                    stop.Cancel();
                }

                token.ThrowIfCancellationRequested();
                return Task.CompletedTask;
            },
        };
        Assert.That(async () => await Sweeps.RunAsync(plan, path, source, workers: 1, stop.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(File.ReadAllLines(path), Has.Length.EqualTo(9 * Lambdas.Length));
        await Sweeps.RunAsync(plan, path, Source());
        Assert.That(await File.ReadAllBytesAsync(path), Is.EqualTo(whole));
    }

    [Test]
    public async Task A_failing_draw_ends_the_sweep_with_its_own_error_and_loses_nothing_before_it()
    {
        SweepPlan plan = Sweeps.Plan(20, Lambdas);
        var source = new SyntheticSource(lambda => lambda)
        {
            Before = (unit, _) => unit.Prompt.Index == 7 ? throw new RewardException("the seventh") : Task.CompletedTask,
        };
        Assert.That(async () => await Sweeps.RunAsync(plan, path, source, workers: 5), Throws.TypeOf<RewardException>().With.Message.EqualTo("the seventh"));
        Assert.That(File.ReadAllLines(path), Has.Length.EqualTo(7 * Lambdas.Length));
    }

    [Test]
    public async Task Results_of_another_sweep_are_refused_and_stay()
    {
        await Sweeps.RunAsync(Sweeps.Plan(4, Lambdas), path, Source());
        byte[] before = await File.ReadAllBytesAsync(path);
        foreach (SweepPlan other in new[] { Sweeps.Plan(4, Lambdas, seed: 1), Sweeps.Plan(4, [0, 1]), Sweeps.Plan(3, Lambdas), Sweeps.Plan(4, Lambdas, samples: 2) })
        {
            Assert.That(async () => await Sweeps.RunAsync(other, path, Source()), Throws.TypeOf<EvaluationException>().With.Message.Contains("another sweep"));
        }

        Assert.That(await File.ReadAllBytesAsync(path), Is.EqualTo(before));
    }

    [Test]
    public async Task Damage_in_the_middle_is_named_and_left_to_a_person()
    {
        SweepPlan plan = Sweeps.Plan(4, Lambdas);
        await Sweeps.RunAsync(plan, path, Source());
        string[] lines = await File.ReadAllLinesAsync(path);
        lines[4] = lines[4][..20];
        await File.WriteAllLinesAsync(path, lines);
        Assert.That(async () => await Sweeps.RunAsync(plan, path, Source()), Throws.TypeOf<EvaluationException>().With.Message.Contains("line 5"));
    }

    [Test]
    public async Task A_last_line_of_nothing_is_cut_off()
    {
        SweepPlan plan = Sweeps.Plan(4, Lambdas);
        byte[] whole = await UndisturbedAsync(plan);
        await File.WriteAllBytesAsync(path, [.. whole[..(Array.IndexOf(whole, (byte)'\n') + 1)], .. new byte[300], (byte)'\n']);
        await Sweeps.RunAsync(plan, path, Source());
        Assert.That(await File.ReadAllBytesAsync(path), Is.EqualTo(whole));
    }

    [Test]
    public void Two_processes_do_not_write_one_file()
    {
        SweepPlan plan = Sweeps.Plan(2, Lambdas);
        using ResultLog first = ResultLog.Open(path, plan, Sweeps.Fingerprint);
        Assert.That(() => ResultLog.Open(path, plan, Sweeps.Fingerprint), Throws.TypeOf<EvaluationException>().With.Message.Contains("another process"));
    }

    [Test]
    public async Task Shards_are_parts_of_the_whole()
    {
        SweepPlan plan = Sweeps.Plan(7, Lambdas);
        byte[] whole = await UndisturbedAsync(plan);
        var lines = new List<string>();
        for (int shard = 1; shard <= 3; shard++)
        {
            string part = Path.Combine(folder, $"{shard}.jsonl");
            await Sweeps.RunAsync(Sweeps.Plan(7, Lambdas, shard: new Shard(shard, 3)), part, Source());
            lines.AddRange(await File.ReadAllLinesAsync(part));
        }

        Assert.That(lines.Order(), Is.EqualTo(Encoding.UTF8.GetString(whole).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order()));
    }
}
