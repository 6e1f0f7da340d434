using DeRa.Models.Tests.Reference;

namespace DeRa.Models.Tests;

/// <summary>The oracle of the synthetic checkpoints against the golden files, whose numbers come from transformers itself.</summary>
public sealed class ReferenceModelTests
{
    [Test]
    public void Oracle_reproduces_the_golden_logits(
        [ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name, [Values("ref", "aligned")] string side)
    {
        var golden = new GoldenCase(name);
        var checkpoint = new HfCheckpoint(golden.SideFolder(side));
        foreach (GoldenSequence sequence in golden.Sequences)
        {
            float[] logits = [.. HfModels.Logits(checkpoint, sequence.InputIds).SelectMany(row => row.Select(v => (float)v))];

            // The files hold float64 results rounded to float32.
            Close.Within(1e-5, logits, golden.Logits(sequence.Id, side), sequence.Id);
        }
    }
}
