using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Benchmarks;

/// <summary>
/// From folders to a model that can run, and to its first token, which has read every weight. The files are in the system's cache and the code is
/// compiled: it is the engine's share of loading that is measured.
/// </summary>
internal static class LoadWorkload
{
    /// <summary>One model, on the device of the head, and the pair.</summary>
    public static IEnumerable<Case> Cases(PairDevices devices, PairFolders folders, DType? weightType)
    {
        yield return new Case(new CaseDescription("load") { Stage = "ready" }, 0,
        [
            new Variant(Mode.Single, () => ModelPair.Load(folders.Reference, null, devices.Head, weightType).Dispose(), default),
            new Variant(Mode.Pair, () => ModelPair.Load(folders.Reference, folders.Aligned, devices, weightType).Dispose(), default),
        ]);
        yield return new Case(new CaseDescription("load") { Stage = "first token" }, 0,
        [
            new Variant(Mode.Single, () => FirstToken(new PairDevices(devices.Head, devices.Head), folders.Reference, null, weightType), default),
            new Variant(Mode.Pair, () => FirstToken(devices, folders.Reference, folders.Aligned, weightType), default),
        ]);
    }

    private static void FirstToken(PairDevices devices, string reference, string? aligned, DType? weightType)
    {
        using ModelPair pair = ModelPair.Load(reference, aligned, devices, weightType);
        pair.Allocate(new StepCapacity(1, 1, 1));
        using var head = new HeadWays(devices.Head, 1, pair.Vocabulary, pair.Reference.Config.VocabSize, pair.Aligned.Config.VocabSize);
        using ForwardBatch batch = pair.CreateBatch();
        batch.Add([0], 0, [0], 1, outputs: 1);
        batch.Upload();
        pair.Forward(batch);
        if (aligned is null)
        {
            head.Single(pair.ReferenceHead(0, 1));
        }
        else
        {
            head.Fused(pair.ReferenceHead(0, 1), pair.AlignedHead(0, 1));
        }

        head.Finish(1);
    }
}
