namespace DeRa.Models.Tests;

/// <summary>Logits at every position against transformers in float64, however the text is cut into steps and wherever its blocks lie.</summary>
[TestFixtureSource(typeof(TestDevice), nameof(TestDevice.Names))]
internal sealed class GoldenLogitsTests(string deviceName) : DeviceTests(deviceName)
{
    public static IEnumerable<string> Sides => ["ref", "aligned"];

    [Test]
    public void At_every_position(
        [ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name, [ValueSource(nameof(Sides))] string side)
    {
        var golden = new GoldenCase(name);
        using var model = new SingleModel(Device.Kernels, golden.SideFolder(side));
        foreach (GoldenSequence sequence in golden.Sequences)
        {
            Close.Within(
                GoldenCase.LogitTolerance, model.Logits(sequence.InputIds), golden.Logits(sequence.Id, side), $"{name}/{side} {sequence.Id}");
        }
    }

    [Test]
    public void With_the_config_schema_of_transformers_5(
        [ValueSource(typeof(GoldenCase), nameof(GoldenCase.NamesWithVersion5Config))] string name, [ValueSource(nameof(Sides))] string side)
    {
        var golden = new GoldenCase(name);
        using var folder = TemporaryFolder.WithConfig(golden.SideFolder(side), "config_v5.json");
        using var model = new SingleModel(Device.Kernels, folder.Path);
        GoldenSequence sequence = golden.Sequences.Last();
        Close.Within(GoldenCase.LogitTolerance, model.Logits(sequence.InputIds), golden.Logits(sequence.Id, side), $"{name}/{side}");
    }

    [Test]
    public void In_chunks_over_shuffled_blocks(
        [ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name, [Values(1, 7, 16)] int chunk)
    {
        var golden = new GoldenCase(name);
        using var model = new SingleModel(Device.Kernels, golden.SideFolder("ref"));
        GoldenSequence sequence = golden.Sequences.Last();
        int[] blocks = [.. Enumerable.Range(0, 64)];
        new Random(chunk).Shuffle(blocks);
        float[] whole = model.Logits(sequence.InputIds);
        float[] chunked = model.Logits(sequence.InputIds, blocks, chunk);
        Close.Within(GoldenCase.LogitTolerance, chunked, golden.Logits(sequence.Id, "ref"), name);

        // A row's bits do not depend on the step that computes it.
        Assert.That(chunked, Is.EqualTo(whole));
    }

    [Test]
    public void Packed_sequences_get_the_bits_they_get_alone([ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name)
    {
        var golden = new GoldenCase(name);
        using var model = new SingleModel(Device.Kernels, golden.SideFolder("aligned"));
        GoldenSequence[] sequences = [.. golden.Sequences];
        float[][] alone = [.. sequences.Select(s => model.Logits(s.InputIds))];

        int next = 0;
        var tables = new List<int[]>();
        foreach (GoldenSequence s in sequences)
        {
            int count = KvCache.BlocksFor(s.InputIds.Length);
            tables.Add([.. Enumerable.Range(next, count).Reverse()]);
            next += count;
        }

        // First step: all but the last token of each, nothing asked for; a one-token sequence joins in the second step only.
        Chunk[] first = [.. sequences.Select((s, i) => new Chunk(s.InputIds, 0, s.InputIds.Length - 1, tables[i], s.InputIds.Length, 0))
            .Where(c => c.Count > 0)];
        Assert.That(model.Step(first), Is.Empty);
        float[] packed = model.Step([.. sequences.Select((s, i) =>
            new Chunk(s.InputIds, s.InputIds.Length - 1, 1, tables[i], s.InputIds.Length, 1))]);
        float[] expected = [.. alone.SelectMany(logits => logits[^model.Model.Config.VocabSize..])];
        Assert.That(packed, Is.EqualTo(expected));

        // Everything at once, every second sequence asked for in full.
        float[] mixed = model.Step([.. sequences.Select((s, i) =>
            new Chunk(s.InputIds, 0, s.InputIds.Length, tables[i], s.InputIds.Length, i % 2 == 0 ? s.InputIds.Length : 1))]);
        float[] expectedMixed = [.. alone.SelectMany((logits, i) => i % 2 == 0 ? logits : logits[^model.Model.Config.VocabSize..])];
        Assert.That(mixed, Is.EqualTo(expectedMixed));
    }
}
