using DeRa.Checkpoints;
using DeRa.Kernels.Cpu;
using DeRa.Models;

namespace DeRa.Benchmarks.Tests;

/// <summary>Random pairs are ordinary checkpoints: they open, differ, give sensible logits and leave nothing behind.</summary>
public sealed class RandomPairTests
{
    [TestCase(true)]
    [TestCase(false)]
    public void A_checkpoint_has_the_shape_asked_for(bool tied)
    {
        ModelShape shape = CostTests.Tiny with { TiedOutput = tied };
        using PairFolders pair = PairFolders.Random(shape);
        using Checkpoint checkpoint = Checkpoint.Open(pair.Reference);
        Assert.That(checkpoint.Summary.ParameterCount, Is.EqualTo(shape.Parameters));
        Assert.That(checkpoint.Config.NumKvHeads, Is.EqualTo(shape.NumKvHeads));
        Assert.That(checkpoint.Config.TieWordEmbeddings, Is.EqualTo(tied));
        Assert.That(checkpoint.UnusedTensors, Is.Empty);
    }

    [Test]
    public void The_two_models_share_no_matrix_and_their_logits_are_finite_and_of_ordinary_size()
    {
        using PairFolders folders = PairFolders.Random(CostTests.Tiny with { HiddenSize = 256, IntermediateSize = 300 });
        using var kernels = new CpuKernelSet(2);
        using ModelPair pair = ModelPair.Load(folders.Reference, folders.Aligned, kernels);
        Assert.That(pair.SharedOutputHead, Is.False);

        var squares = new List<double>();
        LogitsComputer.Compute(pair.Reference, kernels, [3, 1, 4, 1, 5], (_, logits) =>
        {
            foreach (float logit in logits)
            {
                squares.Add((double)logit * logit);
            }
        });

        // 0.02 · √256 = 0.32 expected; a NaN fails both bounds.
        Assert.That(Math.Sqrt(squares.Average()), Is.GreaterThan(0.2).And.LessThan(0.5));
    }

    [Test]
    public void The_folders_go_with_the_pair()
    {
        string reference, aligned;
        using (PairFolders pair = PairFolders.Random(CostTests.Tiny))
        {
            (reference, aligned) = (pair.Reference, pair.Aligned);
            Assert.That(Directory.Exists(reference) && Directory.Exists(aligned));
        }

        Assert.That(Directory.Exists(reference) || Directory.Exists(aligned), Is.False);
        Assert.That(Directory.Exists(Path.GetDirectoryName(reference)), Is.False);
    }
}
