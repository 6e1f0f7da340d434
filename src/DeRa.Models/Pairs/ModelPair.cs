using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// The reference and the aligned model over the same batches, block tables and vocabulary. One model alone (no aligned folder, or the same
/// folder twice) is a pair of itself: it is stored and run once. One thread owns a pair, the one that owns its kernel set.
/// </summary>
public sealed class ModelPair : IDisposable
{
    private readonly KernelSet kernels;
    private readonly Checkpoint[] checkpoints;
    private readonly WeightStore store;
    private ModelState? reference;
    private ModelState? aligned;
    private Workspace? workspace;

    private ModelPair(KernelSet kernels, Checkpoint referenceCheckpoint, Checkpoint? alignedCheckpoint, DType? weightType)
    {
        this.kernels = kernels;
        checkpoints = alignedCheckpoint is null ? [referenceCheckpoint] : [referenceCheckpoint, alignedCheckpoint];
        SharedTensors = alignedCheckpoint is null ? null : SharedTensors.Find(referenceCheckpoint.Weights, alignedCheckpoint.Weights);
        DeviceMemory.RequireForWeights(kernels.Device, referenceCheckpoint, alignedCheckpoint, SharedTensors, weightType);
        store = new WeightStore(kernels, SharedTensors, weightType);
        try
        {
            Reference = Transformer.Load(referenceCheckpoint, store);
            Aligned = alignedCheckpoint is null ? Reference : Transformer.Load(alignedCheckpoint, store, Reference.Rotary);
        }
        catch
        {
            store.Dispose();
            throw;
        }

        Vocabulary = PairCheck.SharedVocabulary(Reference.Config, Aligned.Config);
    }

    /// <summary>The reference model.</summary>
    public Transformer Reference { get; }

    /// <summary>The aligned model; the reference itself where there is one model only.</summary>
    public Transformer Aligned { get; }

    /// <summary>Whether both sides are one model.</summary>
    public bool IsSingleModel => ReferenceEquals(Reference, Aligned);

    /// <summary>Tokens that both models can score: rows past it in the longer output matrix are padding.</summary>
    public int Vocabulary { get; }

    /// <summary>Tensors of the aligned model that are stored as the reference's; null for a single model.</summary>
    public SharedTensors? SharedTensors { get; }

    /// <summary>What the pair takes: its weights as stored, and what caches and steps add.</summary>
    public MemoryEstimate Memory => new(Reference.Config, IsSingleModel ? null : Aligned.Config, store.Bytes)
    {
        CacheTypes = [Reference.CacheType, Aligned.CacheType],
    };

    /// <summary>Whether z_λ = W·(λ·h_a + (1 − λ)·h_r) holds: one output matrix (and bias) for both models and no soft cap on logits.</summary>
    public bool SharedOutputHead
    {
        get
        {
            HeadModel r = Reference.Head(default);
            HeadModel a = Aligned.Head(default);
            return r.Output == a.Output && r.Bias == a.Bias && r.SoftCap is null && a.SoftCap is null;
        }
    }

    /// <summary>Positions that every sequence is limited to, by learned positions of either model; null without a limit.</summary>
    public int? MaxPositions => Reference.MaxPositions is int r && Aligned.MaxPositions is int a
        ? Math.Min(r, a)
        : Reference.MaxPositions ?? Aligned.MaxPositions;

    /// <summary>The capacity allocated.</summary>
    public StepCapacity Capacity { get; private set; }

    /// <summary>Opens and loads a pair, or one model when <paramref name="alignedFolder"/> is null or the same folder.</summary>
    /// <param name="referenceFolder">Checkpoint folder of the reference model.</param>
    /// <param name="alignedFolder">Checkpoint folder of the aligned model.</param>
    /// <param name="kernels">The device.</param>
    /// <param name="weightType">Element type of the weights there; null keeps the checkpoints' own.</param>
    /// <exception cref="CheckpointException">A folder that cannot be used.</exception>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static ModelPair Load(string referenceFolder, string? alignedFolder, KernelSet kernels, DType? weightType = null)
    {
        ArgumentNullException.ThrowIfNull(referenceFolder);
        ArgumentNullException.ThrowIfNull(kernels);
        bool single = alignedFolder is null || FullPath(alignedFolder) == FullPath(referenceFolder);
        Checkpoint reference = Checkpoint.Open(referenceFolder);
        Checkpoint? aligned = null;
        try
        {
            aligned = single ? null : Checkpoint.Open(alignedFolder!);
            return Load(reference, aligned, kernels, weightType);
        }
        catch
        {
            aligned?.Dispose();
            reference.Dispose();
            throw;
        }
    }

    /// <summary>Loads a pair of open checkpoints, which the pair closes when it is disposed of.</summary>
    /// <param name="reference">The reference model.</param>
    /// <param name="aligned">The aligned model; null for one model alone.</param>
    /// <param name="kernels">Where the pair runs.</param>
    /// <param name="weightType">Element type to store weights in; null keeps the checkpoint's.</param>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static ModelPair Load(Checkpoint reference, Checkpoint? aligned, KernelSet kernels, DType? weightType = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(kernels);
        return new ModelPair(kernels, reference, aligned, weightType);
    }

    /// <summary>Allocates caches and activations, in place of those of an earlier call. Before the first <see cref="Forward"/>.</summary>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public void Allocate(StepCapacity capacity)
    {
        Free();
        try
        {
            workspace = new Workspace(kernels, capacity.Tokens, Reference.Config, Aligned.Config);
            reference = new ModelState(kernels, Reference, capacity);
            aligned = IsSingleModel ? reference : new ModelState(kernels, Aligned, capacity);
        }
        catch
        {
            Free();
            throw;
        }

        Capacity = capacity;
    }

    /// <summary>
    /// Enqueues the forward passes of a batch. A batch whose rows all have λ = 0 needs the reference only, one with λ = 1 the aligned model only; the
    /// model that is left out does not advance its cache, so it has to stay out for those sequences.
    /// </summary>
    /// <param name="batch">An uploaded batch.</param>
    /// <param name="needReference">Whether to run the reference model.</param>
    /// <param name="needAligned">Whether to run the aligned model.</param>
    /// <exception cref="ModelInputException">A token or position that a model does not have. Nothing is enqueued.</exception>
    /// <exception cref="ArgumentException">The batch exceeds the capacity. Nothing is enqueued.</exception>
    public void Forward(ForwardBatch batch, bool needReference = true, bool needAligned = true)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (reference is null || aligned is null || workspace is null) throw new InvalidOperationException("the pair has no caches yet: call Allocate");
        if (batch.TokenCount > Capacity.Tokens || batch.OutputCount > Capacity.Outputs)
        {
            throw new ArgumentException(
                $"the batch has {batch.TokenCount} tokens and {batch.OutputCount} outputs, the capacity is {Capacity.Tokens} and {Capacity.Outputs}");
        }

        bool runAligned = needAligned && !(IsSingleModel && needReference);

        // Uploads first: nothing may be written while operations are enqueued.
        RopeTable? referenceRope = needReference ? Reference.Prepare(batch) : null;
        RopeTable? alignedRope = runAligned ? Aligned.Prepare(batch) : null;
        if (needReference) reference.Forward(batch, referenceRope, workspace);
        if (runAligned) aligned.Forward(batch, alignedRope, workspace);
    }

    /// <summary>Enqueues copies of cache blocks in both models' pools, in the order given.</summary>
    /// <param name="copies">Source and target blocks; a target is overwritten.</param>
    public void CopyBlocks(IReadOnlyList<(int From, int To)> copies)
    {
        ArgumentNullException.ThrowIfNull(copies);
        if (reference is null || aligned is null) throw new InvalidOperationException("the pair has no caches yet: call Allocate");
        foreach ((int from, int to) in copies)
        {
            reference.EnqueueCopy(from, to);
            if (!IsSingleModel) aligned.EnqueueCopy(from, to);
        }
    }

    /// <summary>The reference's side of the head for rows [first, first + count) of the outputs of the last <see cref="Forward"/>.</summary>
    public HeadModel ReferenceHead(int first, int count) => Head(reference, first, count);

    /// <summary>The aligned model's side of the head for rows [first, first + count) of the outputs of the last <see cref="Forward"/>.</summary>
    public HeadModel AlignedHead(int first, int count) => Head(aligned, first, count);

    /// <inheritdoc />
    public void Dispose()
    {
        Free();
        Reference.Dispose();
        Aligned.Dispose();
        store.Dispose();
        foreach (Checkpoint checkpoint in checkpoints) checkpoint.Dispose();
    }

    private static string FullPath(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private HeadModel Head(ModelState? state, int first, int count)
    {
        if (state is null) throw new InvalidOperationException("the pair has no caches yet: call Allocate");
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Capacity.Outputs);
        return state.Head(first, count);
    }

    private void Free()
    {
        reference?.Dispose();
        if (!IsSingleModel) aligned?.Dispose();
        workspace?.Dispose();
        (reference, aligned, workspace, Capacity) = (null, null, null, default);
    }

    // What one model keeps from step to step: its cache and its final hidden states [outputs, hidden].
    private sealed class ModelState : IDisposable
    {
        private readonly KernelSet kernels;
        private readonly Transformer model;
        private readonly KvCache cache;
        private readonly DeviceBuffer hidden;
        private readonly DeviceBuffer zero; // one integer, allocated as 0

        public ModelState(KernelSet kernels, Transformer model, StepCapacity capacity)
        {
            this.kernels = kernels;
            this.model = model;
            cache = new KvCache(kernels, model.Config, capacity.CacheBlocks, model.CacheType);
            try
            {
                zero = kernels.Allocate(sizeof(int));
                hidden = kernels.Allocate((long)sizeof(float) * capacity.Outputs * model.Config.HiddenSize);
            }
            catch
            {
                zero?.Dispose();
                cache.Dispose();
                throw;
            }
        }

        public void EnqueueCopy(int from, int to) => cache.EnqueueCopy(kernels, new IntVector(zero, 0, 1), from, to);

        public void Forward(ForwardBatch batch, RopeTable? rope, Workspace workspace) =>
            model.Forward(batch, rope, cache, workspace, Matrix.Dense(hidden, batch.OutputCount, model.Config.HiddenSize));

        public HeadModel Head(int first, int count)
        {
            int width = model.Config.HiddenSize;
            return model.Head(new Matrix(hidden, (long)first * width, count, width, width));
        }

        public void Dispose()
        {
            cache.Dispose();
            zero.Dispose();
            hidden.Dispose();
        }
    }
}
