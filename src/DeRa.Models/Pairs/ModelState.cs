using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// What one model of a pair keeps from step to step on its device: its cache and its final hidden states [outputs, hidden]; and, where the head runs on
/// another device, the place there that hidden states move to.
/// </summary>
internal sealed class ModelState : IDisposable
{
    private readonly Workspace workspace;
    private readonly KvCache cache;
    private readonly DeviceBuffer hidden;
    private readonly DeviceBuffer zero;      // one integer, allocated as 0
    private readonly DeviceBuffer? moved;    // [outputs, hidden] on the head's device; null where that is this one
    private readonly KernelSet head;
    private float[] moving = [];             // [outputs, hidden] on their way

    /// <summary>Allocates on the model's device, and on the head's.</summary>
    /// <param name="model">The model.</param>
    /// <param name="kernels">Its device.</param>
    /// <param name="head">The device that runs the head.</param>
    /// <param name="capacity">Most that a step takes.</param>
    /// <param name="workspace">Activations on the model's device; whoever made them disposes of them.</param>
    /// <exception cref="DeviceException">A device lacks the memory.</exception>
    public ModelState(Transformer model, KernelSet kernels, KernelSet head, StepCapacity capacity, Workspace workspace)
    {
        (Model, Kernels, this.head, this.workspace) = (model, kernels, head, workspace);
        long bytes = (long)sizeof(float) * capacity.Outputs * model.Config.HiddenSize;
        cache = new KvCache(kernels, model.Config, capacity.CacheBlocks, model.CacheType);
        try
        {
            zero = kernels.Allocate(sizeof(int));
            hidden = kernels.Allocate(bytes);
            moved = kernels == head ? null : head.Allocate(bytes);
        }
        catch
        {
            hidden?.Dispose();
            zero?.Dispose();
            cache.Dispose();
            throw;
        }
    }

    /// <summary>The model.</summary>
    public Transformer Model { get; }

    /// <summary>Its device.</summary>
    public KernelSet Kernels { get; }

    /// <summary>Enqueues a copy of one cache block.</summary>
    public void EnqueueCopy(int from, int to) => cache.EnqueueCopy(Kernels, new IntVector(zero, 0, 1), from, to);

    /// <summary>Uploads what a forward pass over an uploaded batch reads beside it. Not while operations are enqueued.</summary>
    public ModelPass Prepare(ForwardBatch batch)
    {
        (DeviceBatch tokens, IntVector outputs) = batch.On(Kernels);
        return new ModelPass(this, tokens, outputs, batch.OutputsAreTokens, Model.Prepare(batch));
    }

    /// <summary>Enqueues a forward pass over the batch it was prepared for, and does nothing else.</summary>
    public void Enqueue(ForwardBatch batch, ModelPass pass) =>
        Model.Forward(batch, pass.Rope, cache, workspace, Matrix.Dense(hidden, batch.OutputCount, Model.Config.HiddenSize));

    /// <summary>Runs what is enqueued on the model's device and takes the hidden states from it.</summary>
    public void Take(int outputs)
    {
        int length = outputs * Model.Config.HiddenSize;
        if (moving.Length < length) moving = new float[length];
        Kernels.Run();
        Kernels.Read(hidden, 0, Moving(outputs));
    }

    /// <summary>Brings the hidden states taken to the head's device. Not while operations are enqueued there.</summary>
    public void Bring(int outputs) => head.Write<float>(moved!, 0, Moving(outputs));

    /// <summary>The model's side of the head.</summary>
    public HeadModel Head(int first, int count)
    {
        int width = Model.Config.HiddenSize;
        return Model.Head(new Matrix(moved ?? hidden, (long)first * width, count, width, width));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        cache.Dispose();
        zero.Dispose();
        hidden.Dispose();
        moved?.Dispose();
    }

    private Span<float> Moving(int outputs) => moving.AsSpan(0, outputs * Model.Config.HiddenSize);
}

/// <summary>A forward pass that is ready to be enqueued; equal ones enqueue the same operations on the same buffers.</summary>
/// <param name="State">Whose it is.</param>
/// <param name="Batch">The uploaded batch.</param>
/// <param name="Outputs">Tokens whose hidden states are asked for.</param>
/// <param name="OutputsAreTokens">Whether those are all tokens in their order.</param>
/// <param name="Rope">Rotations; null with learned positions.</param>
internal sealed record ModelPass(ModelState State, DeviceBatch Batch, IntVector Outputs, bool OutputsAreTokens, RopeTable? Rope);
