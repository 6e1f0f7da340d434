using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Benchmarks;

/// <summary>A loaded pair with what its forward passes cost, and the ways to take a packed step through it.</summary>
internal sealed class PairSession : IDisposable
{
    private readonly bool isRandom;

    private PairSession(ModelPair pair, ModelCost reference, ModelCost aligned, bool isRandom)
    {
        (Pair, Reference, Aligned) = (pair, reference, aligned);
        this.isRandom = isRandom;
    }

    /// <summary>What runs the head.</summary>
    public KernelSet Kernels => Pair.Devices.Head;

    public ModelPair Pair { get; }

    public ModelCost Reference { get; }

    public ModelCost Aligned { get; }

    /// <summary>The fused ways that the pair allows: a pair with one output matrix has no other way than sharing it, and one of the user's with two cannot share.</summary>
    public IReadOnlyList<Mode> FusedModes => Pair.SharedOutputHead ? [Mode.FusedSharedHead] : isRandom ? [Mode.Fused, Mode.FusedSharedHead] : [Mode.Fused];

    /// <summary>Loads a pair.</summary>
    /// <exception cref="CheckpointException">A folder cannot be used.</exception>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static PairSession Load(PairDevices devices, PairFolders folders, DType? weightType)
    {
        Checkpoint reference = Checkpoint.Open(folders.Reference);
        Checkpoint? aligned = null;
        try
        {
            aligned = Checkpoint.Open(folders.Aligned);
            ModelCost referenceCost = ModelCost.Of(reference, weightType), alignedCost = ModelCost.Of(aligned, weightType);
            return new PairSession(ModelPair.Load(reference, aligned, devices, weightType), referenceCost, alignedCost, folders.IsRandom);
        }
        catch
        {
            aligned?.Dispose();
            reference.Dispose();
            throw;
        }
    }

    /// <summary>The aligned model's head, or with the reference's output matrix where the way shares it.</summary>
    public HeadModel AlignedHead(Mode mode, int rows) => mode == Mode.FusedSharedHead
        ? Pair.AlignedHead(0, rows) with { Output = Pair.ReferenceHead(0, rows).Output }
        : Pair.AlignedHead(0, rows);

    /// <summary>The ways to compute steps that end in drawn tokens.</summary>
    /// <param name="batches">One per chunk; only the last asks for outputs. They are uploaded as they run.</param>
    /// <param name="ways">The head.</param>
    /// <param name="referenceLayers">What the reference's layers cost, all chunks together.</param>
    /// <param name="alignedLayers">What the aligned model's layers cost.</param>
    public IReadOnlyList<Variant> Ways(IReadOnlyList<ForwardBatch> batches, HeadWays ways, Work referenceLayers, Work alignedLayers)
    {
        int rows = batches[^1].OutputCount;
        Work referenceHead = Reference.HeadWeights.Project(rows), alignedHead = Aligned.HeadWeights.Project(rows);
        Work pair = referenceLayers + alignedLayers + referenceHead + alignedHead;
        var variants = new List<Variant> { new(Mode.Single, Single, referenceLayers + referenceHead) };
        variants.Add(new Variant(Mode.Naive, Naive, pair + HeadCost.StoredLogits(Pair.Vocabulary, rows), pair));
        foreach (Mode mode in FusedModes)
        {
            variants.Add(new Variant(mode, () => Fused(mode), mode == Mode.FusedSharedHead ? referenceLayers + alignedLayers + referenceHead : pair));
        }

        return variants;

        void Single()
        {
            Step(Mode.Single, needReference: true, needAligned: false, () => ways.Single(Pair.ReferenceHead(0, rows)));
            ways.Finish(rows);
        }

        void Naive()
        {
            HeadModel r = Pair.ReferenceHead(0, rows), a = Pair.AlignedHead(0, rows);
            Step(Mode.Naive, needReference: true, needAligned: false, () => ways.ReferenceLogits(r));
            Kernels.Run();
            Step(Mode.Naive, needReference: false, needAligned: true, () => ways.AlignedLogits(a));
            Kernels.Run();
            ways.MixAndDraw(r, a);
        }

        void Fused(Mode mode)
        {
            Step(mode, needReference: true, needAligned: true, () => ways.Fused(Pair.ReferenceHead(0, rows), AlignedHead(mode, rows)));
            ways.Finish(rows);
        }

        // The last chunk goes with its head, as in the engine: where it continues sequences, one that the device may repeat.
        void Step(Mode mode, bool needReference, bool needAligned, Action head)
        {
            foreach (ForwardBatch batch in batches.Take(batches.Count - 1))
            {
                batch.Upload();
                Pair.Forward(batch, needReference, needAligned);
                Kernels.Run(); // the next chunk's batch is uploaded, and nothing may be written while operations wait
            }

            ForwardBatch last = batches[^1];
            last.Upload();
            Pair.Forward(needReference ? last : null, needAligned ? last : null, new PairHead((ways, mode), head));
        }
    }

    /// <summary>Buffers for the ways of up to <paramref name="rows"/> rows.</summary>
    public HeadWays CreateHead(int rows) =>
        new(Kernels, rows, Pair.Vocabulary, Reference.HeadWeights.Vocabulary, Aligned.HeadWeights.Vocabulary);

    public void Dispose() => Pair.Dispose();
}
