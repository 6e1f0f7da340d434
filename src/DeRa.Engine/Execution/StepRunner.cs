using System.Runtime.InteropServices;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Execution;

/// <summary>A token drawn for a sequence in a step.</summary>
internal readonly record struct DrawnToken(Sequence Sequence, HeadResult Result, TopToken[] TopTokens);

/// <summary>
/// Runs one scheduled step on the device: packs the chunks, runs the models they need, draws tokens. Usually every sequence needs both
/// models and one packed batch serves both; where some need one model only (λ = 0, λ = 1), each model gets the batch of those that need it.
/// </summary>
/// <remarks>
/// Which group a sequence is in depends on its own request alone, so what the head computes for it does not depend on the rest of the step.
/// </remarks>
internal sealed class StepRunner(KernelSet kernels, ModelPair pair) : IDisposable
{
    private readonly Group referenceOnly = new(kernels), figures = new(kernels), mixture = new(kernels), alignedOnly = new(kernels);
    private readonly ForwardBatch batch = new(kernels), alignedBatch = new(kernels);
    private readonly List<DrawnToken> drawn = [];

    private Group[] Groups => [referenceOnly, figures, mixture, alignedOnly];

    /// <summary>Computes the chunks and returns the tokens drawn by those that reach their sequence's end; valid until the next call.</summary>
    public IReadOnlyList<DrawnToken> Run(IReadOnlyList<Chunk> chunks)
    {
        Divide(chunks);
        RunModels();
        DrawTokens();
        kernels.Run();
        return Collect();
    }

    public void Dispose()
    {
        batch.Dispose();
        alignedBatch.Dispose();
        foreach (Group group in Groups)
        {
            group.Head.Dispose();
        }
    }

    private void Divide(IReadOnlyList<Chunk> chunks)
    {
        foreach (Group group in Groups)
        {
            group.Chunks.Clear();
            group.Head.Clear();
        }

        foreach (Chunk chunk in chunks)
        {
            Group group = GroupOf(chunk.Sequence.Request);
            group.Chunks.Add(chunk);
            if (chunk.DrawsToken)
            {
                group.Head.Add(chunk.Sequence);
            }
        }

        foreach (Group group in Groups)
        {
            if (group.Head.Count > 0)
            {
                group.Head.Upload();
            }
        }
    }

    private Group GroupOf(GenerationRequest request) => (request.NeedsReference, request.NeedsAligned) switch
    {
        (true, false) => referenceOnly,
        (false, true) => alignedOnly,
        _ => request.Statistics ? figures : mixture,
    };

    /// <summary>Afterwards the outputs of the models are in the order [reference only | figures | mixture] and [figures | mixture | aligned only].</summary>
    private void RunModels()
    {
        if (referenceOnly.Chunks.Count == 0 && alignedOnly.Chunks.Count == 0)
        {
            Pack(batch, figures, mixture);
            pair.Forward(batch);
            return;
        }

        if (Pack(batch, referenceOnly, figures, mixture))
        {
            pair.Forward(batch, needAligned: false);
            kernels.Run(); // the aligned model's batch is uploaded next, and nothing may be written while operations wait
        }

        if (Pack(alignedBatch, figures, mixture, alignedOnly))
        {
            pair.Forward(alignedBatch, needReference: false);
        }
    }

    private void DrawTokens()
    {
        int reference = 0, aligned = 0;
        foreach (Group group in Groups)
        {
            int count = group.Head.Count;
            if (count == 0)
            {
                continue;
            }

            HeadModel? referenceHead = group == alignedOnly ? null : pair.ReferenceHead(reference, count);
            HeadModel? alignedHead = group == referenceOnly ? null : pair.AlignedHead(aligned, count);
            group.Head.Enqueue(referenceHead, alignedHead, pair.Vocabulary, statistics: group == figures);
            reference += group == alignedOnly ? 0 : count;
            aligned += group == referenceOnly ? 0 : count;
        }
    }

    private List<DrawnToken> Collect()
    {
        drawn.Clear();
        foreach (Group group in Groups)
        {
            if (group.Head.Count == 0)
            {
                continue;
            }

            group.Head.Read();
            int row = 0;
            foreach (Chunk chunk in CollectionsMarshal.AsSpan(group.Chunks))
            {
                if (chunk.DrawsToken)
                {
                    drawn.Add(new DrawnToken(chunk.Sequence, group.Head.Result(row), group.Head.TopTokens(row)));
                    row++;
                }
            }
        }

        return drawn;
    }

    /// <summary>Packs and uploads the groups' chunks; false if there are none.</summary>
    private static bool Pack(ForwardBatch target, params ReadOnlySpan<Group> groups)
    {
        target.Clear();
        foreach (Group group in groups)
        {
            foreach (Chunk chunk in group.Chunks)
            {
                ReadOnlySpan<int> tokens = chunk.Sequence.TokenSpan.Slice(chunk.Start, chunk.Count);
                target.Add(tokens, chunk.Start, chunk.Sequence.Blocks, chunk.Sequence.Tokens.Count, outputs: chunk.DrawsToken ? 1 : 0);
            }
        }

        if (target.SequenceCount == 0)
        {
            return false;
        }

        target.Upload();
        return true;
    }

    /// <summary>Chunks that need the same models and figures, and the head rows of those that draw a token, in the same order.</summary>
    private sealed class Group(KernelSet kernels)
    {
        public List<Chunk> Chunks { get; } = [];

        public HeadBatch Head { get; } = new(kernels);
    }
}
