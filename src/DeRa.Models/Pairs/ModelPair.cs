using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// The reference and the aligned model over the same batches, block tables and vocabulary. One model alone (no aligned folder, or the same
/// folder twice) is a pair of itself: it is stored and run once. One thread owns a pair, the one that owns its kernel sets.
/// </summary>
/// <remarks>
/// On two devices (<see cref="PairDevices"/>) both models run at the same time, the second device on a thread of the pair's own while the owner waits;
/// results are those of one device of the same kind, bit for bit.
/// </remarks>
public sealed class ModelPair : IDisposable
{
    private readonly Checkpoint[] checkpoints;
    private readonly WeightStore[] stores; // of the reference's device, then of the aligned model's where it is another
    private readonly SideThread? side;
    private readonly List<Workspace> workspaces = []; // one for each device
    private ModelState? reference;
    private ModelState? aligned;

    private ModelPair(
        PairDevices devices, Checkpoint referenceCheckpoint, Checkpoint? alignedCheckpoint, DType? weightType, Action<PairMemory>? checkMemory)
    {
        if (alignedCheckpoint is null && devices.AreTwo)
        {
            throw new DeviceException(
                $"one model alone runs on one device: {devices.Reference.Device.Id} and {devices.Aligned.Device.Id} were asked for, for the reference and the aligned model");
        }

        Devices = devices;
        checkpoints = alignedCheckpoint is null ? [referenceCheckpoint] : [referenceCheckpoint, alignedCheckpoint];
        SharedTensors = alignedCheckpoint is null ? null : SharedTensors.Find(referenceCheckpoint.Weights, alignedCheckpoint.Weights);
        Memory = new PairMemory(devices, referenceCheckpoint, alignedCheckpoint, SharedTensors, weightType);
        if (checkMemory is null) Memory.Require();
        else checkMemory(Memory);
        stores = [.. devices.Sets.Select(set => new WeightStore(set, SharedTensors, weightType))];
        try
        {
            WeightStore head = devices.Head == devices.Reference ? stores[0] : stores[^1];
            Reference = Transformer.Load(referenceCheckpoint, stores[0], rotary: null, head);
            Aligned = alignedCheckpoint is null ? Reference : Transformer.Load(alignedCheckpoint, stores[^1], Reference.Rotary, head);
            foreach (KernelSet set in devices.Sets) set.EndLoading();
        }
        catch
        {
            Array.ForEach(stores, store => store.Dispose());
            throw;
        }

        side = devices.AreTwo ? new SideThread() : null;
        Vocabulary = PairCheck.SharedVocabulary(Reference.Config, Aligned.Config);
    }

    /// <summary>Where the models and the head run; whoever opened them closes them, after the pair.</summary>
    public PairDevices Devices { get; }

    /// <summary>The reference model.</summary>
    public Transformer Reference { get; }

    /// <summary>The aligned model; the reference itself where there is one model only.</summary>
    public Transformer Aligned { get; }

    /// <summary>Whether both sides are one model.</summary>
    public bool IsSingleModel => ReferenceEquals(Reference, Aligned);

    /// <summary>Tokens that both models can score: rows past it in the longer output matrix are padding.</summary>
    public int Vocabulary { get; }

    /// <summary>
    /// What a person should know of the checkpoints, a line each: stored tensors that no model has a use for, as where config.json states fewer layers
    /// than there are.
    /// </summary>
    public IEnumerable<string> Notes => checkpoints.Where(checkpoint => checkpoint.UnusedTensors.Count > 0).Select(checkpoint =>
        $"{checkpoint.Folder}: config.json has no use for {checkpoint.UnusedTensors.Count} of the stored tensors: {Some(checkpoint.UnusedTensors)}");

    /// <summary>Tensors of the aligned model that are stored as the reference's; null for a single model.</summary>
    public SharedTensors? SharedTensors { get; }

    /// <summary>What the pair takes: its weights as stored, and what caches and steps add.</summary>
    public PairMemory Memory { get; }

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

    /// <summary>Opens and loads a pair onto one device, or one model when <paramref name="alignedFolder"/> is null or the same folder.</summary>
    /// <param name="referenceFolder">Checkpoint folder of the reference model.</param>
    /// <param name="alignedFolder">Checkpoint folder of the aligned model.</param>
    /// <param name="kernels">The device.</param>
    /// <param name="weightType">Element type of the weights there; null keeps the checkpoints' own.</param>
    /// <exception cref="CheckpointException">A folder that cannot be used.</exception>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static ModelPair Load(string referenceFolder, string? alignedFolder, KernelSet kernels, DType? weightType = null) =>
        Load(referenceFolder, alignedFolder, new PairDevices(kernels, kernels), weightType);

    /// <summary>Opens and loads a pair, or one model when <paramref name="alignedFolder"/> is null or the same folder.</summary>
    /// <param name="referenceFolder">Checkpoint folder of the reference model.</param>
    /// <param name="alignedFolder">Checkpoint folder of the aligned model.</param>
    /// <param name="devices">Where they run.</param>
    /// <param name="weightType">Element type of the weights there; null keeps the checkpoints' own.</param>
    /// <param name="checkMemory">Called before anything is loaded, and may throw; null requires that the weights fit.</param>
    /// <exception cref="CheckpointException">A folder that cannot be used.</exception>
    /// <exception cref="DeviceException">A device lacks the memory, or one model alone is to run on two devices.</exception>
    public static ModelPair Load(
        string referenceFolder, string? alignedFolder, PairDevices devices, DType? weightType = null, Action<PairMemory>? checkMemory = null)
    {
        ArgumentNullException.ThrowIfNull(referenceFolder);
        ArgumentNullException.ThrowIfNull(devices);
        bool single = alignedFolder is null || FullPath(alignedFolder) == FullPath(referenceFolder);
        Checkpoint reference = Checkpoint.Open(referenceFolder);
        Checkpoint? aligned = null;
        try
        {
            aligned = single ? null : Checkpoint.Open(alignedFolder!);
            return new ModelPair(devices, reference, aligned, weightType, checkMemory);
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
    /// <param name="devices">Where they run.</param>
    /// <param name="weightType">Element type to store weights in; null keeps the checkpoint's.</param>
    /// <exception cref="DeviceException">A device lacks the memory, or one model alone is to run on two devices.</exception>
    public static ModelPair Load(Checkpoint reference, Checkpoint? aligned, PairDevices devices, DType? weightType = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(devices);
        return new ModelPair(devices, reference, aligned, weightType, checkMemory: null);
    }

    /// <summary>Allocates caches and activations, in place of those of an earlier call. Before the first <see cref="Forward(ForwardBatch, ForwardBatch, PairHead)"/>.</summary>
    /// <exception cref="DeviceException">A device lacks the memory.</exception>
    public void Allocate(StepCapacity capacity)
    {
        Free();
        try
        {
            if (Devices.AreTwo)
            {
                workspaces.Add(new Workspace(Devices.Reference, capacity.Tokens, Reference.Config));
                workspaces.Add(new Workspace(Devices.Aligned, capacity.Tokens, Aligned.Config));
            }
            else
            {
                workspaces.Add(new Workspace(Devices.Reference, capacity.Tokens, Reference.Config, Aligned.Config));
            }

            reference = new ModelState(Reference, Devices.Reference, Devices.Head, capacity, workspaces[0]);
            aligned = IsSingleModel ? reference : new ModelState(Aligned, Devices.Aligned, Devices.Head, capacity, workspaces[^1]);
        }
        catch
        {
            Free();
            throw;
        }

        Capacity = capacity;
    }

    /// <summary>A batch that this pair's devices take.</summary>
    public ForwardBatch CreateBatch() => new(Devices.Sets);

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
        Forward(needReference ? batch : null, needAligned ? batch : null);
    }

    /// <summary>
    /// Enqueues the forward passes of each model over a batch of its own, or over one for both; null leaves a model out. Where the models share a device
    /// and the batches differ, or a model's hidden states move to the other's device, what was enqueued has run when this returns.
    /// </summary>
    /// <param name="referenceBatch">An uploaded batch for the reference model.</param>
    /// <param name="alignedBatch">An uploaded batch for the aligned model.</param>
    /// <param name="head">What to enqueue after them on the head's device.</param>
    /// <exception cref="ModelInputException">A token or position that a model does not have. Nothing is enqueued.</exception>
    /// <exception cref="ArgumentException">A batch exceeds the capacity. Nothing is enqueued.</exception>
    public void Forward(ForwardBatch? referenceBatch, ForwardBatch? alignedBatch, PairHead? head = null)
    {
        if (reference is null || aligned is null) throw new InvalidOperationException("the pair has no caches yet: call Allocate");
        if (IsSingleModel) (referenceBatch, alignedBatch) = (referenceBatch ?? alignedBatch, null);
        Check(Reference, referenceBatch);
        Check(Aligned, alignedBatch);
        if (side is not null)
        {
            RunApart(reference, referenceBatch, aligned, alignedBatch, head);
            return;
        }

        bool apart = referenceBatch is not null && alignedBatch is not null && referenceBatch != alignedBatch;
        if (apart)
        {
            PairStep.Enqueue(Devices.Reference, (reference, referenceBatch), default, null);
            Devices.Reference.Run(); // both models may share one table of rotations
            referenceBatch = null;
        }

        PairStep.Enqueue(Devices.Head, (reference, referenceBatch), (aligned, alignedBatch), head);
    }

    /// <summary>Copies cache blocks in both models' pools, in the order given, and waits for it. Not while operations are enqueued.</summary>
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

        foreach (KernelSet set in Devices.Sets) set.Run();
    }

    /// <summary>The reference's side of the head for rows [first, first + count) of the outputs of the last <see cref="Forward(ForwardBatch, ForwardBatch, PairHead)"/>.</summary>
    public HeadModel ReferenceHead(int first, int count) => Head(reference, first, count);

    /// <summary>The aligned model's side of the head for rows [first, first + count) of the outputs of the last <see cref="Forward(ForwardBatch, ForwardBatch, PairHead)"/>.</summary>
    public HeadModel AlignedHead(int first, int count) => Head(aligned, first, count);

    /// <inheritdoc />
    public void Dispose()
    {
        side?.Dispose();
        Free();
        Reference.Dispose();
        Aligned.Dispose();
        Array.ForEach(stores, store => store.Dispose());
        foreach (Checkpoint checkpoint in checkpoints) checkpoint.Dispose();
    }

    private static string FullPath(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private void Check(Transformer model, ForwardBatch? batch)
    {
        if (batch is null) return;
        if (batch.TokenCount > Capacity.Tokens || batch.OutputCount > Capacity.Outputs)
        {
            throw new ArgumentException(
                $"the batch has {batch.TokenCount} tokens and {batch.OutputCount} outputs, the capacity is {Capacity.Tokens} and {Capacity.Outputs}");
        }

        model.Check(batch);
    }

    // The model whose device does not run the head runs beside the other one, and its hidden states are brought over.
    private void RunApart(ModelState reference, ForwardBatch? referenceBatch, ModelState aligned, ForwardBatch? alignedBatch, PairHead? head)
    {
        bool headWithAligned = Devices.Head == Devices.Aligned;
        (ModelState here, ForwardBatch? batchHere) = headWithAligned ? (aligned, alignedBatch) : (reference, referenceBatch);
        (ModelState there, ForwardBatch? batchThere) = headWithAligned ? (reference, referenceBatch) : (aligned, alignedBatch);
        if (batchThere is null)
        {
            PairStep.Enqueue(here.Kernels, (here, batchHere), default, head);
            return;
        }

        side!.Begin(() =>
        {
            PairStep.Enqueue(there.Kernels, (there, batchThere), default, null);
            there.Take(batchThere.OutputCount);
        });
        try
        {
            if (batchHere is not null)
            {
                PairStep.Enqueue(here.Kernels, (here, batchHere), default, null);
                here.Kernels.Run();
            }
        }
        finally
        {
            side.Wait();
        }

        there.Bring(batchThere.OutputCount);
        if (head is not null) PairStep.Enqueue(Devices.Head, default, default, head);
    }

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
        foreach (Workspace workspace in workspaces) workspace.Dispose();
        workspaces.Clear();
        (reference, aligned, Capacity) = (null, null, default);
    }

    private static string Some(IReadOnlyList<string> names)
    {
        const int most = 3;
        return string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most} more" : "");
    }
}
