using System.Runtime.InteropServices;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Execution;

/// <summary>A token drawn for a sequence in a step.</summary>
internal readonly record struct DrawnToken(Generation Generation, HeadResult Result, TopToken[] TopTokens);

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
    private readonly List<ScoreGroup> scores = [];

    private Group[] Groups => [referenceOnly, figures, mixture, alignedOnly];

    private IEnumerable<Chunk> ScoreChunks => scores.SelectMany(group => group.Chunks);

    /// <summary>Computes the chunks and returns the tokens drawn by those that reach their sequence's end; valid until the next call.</summary>
    public IReadOnlyList<DrawnToken> Run(IReadOnlyList<Chunk> chunks)
    {
        Divide(chunks);
        RunModels();
        EnqueueHeads();
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

        scores.ForEach(group => group.Batch.Dispose());
    }

    private void Divide(IReadOnlyList<Chunk> chunks)
    {
        foreach (Group group in Groups)
        {
            group.Chunks.Clear();
            group.Head.Clear();
        }

        DivideScores(chunks);
        foreach (Chunk chunk in chunks)
        {
            if (chunk.Sequence.Job is not Generation generation)
            {
                continue;
            }

            Group group = GroupOf(generation.Request);
            group.Chunks.Add(chunk);
            if (chunk.DrawsToken)
            {
                group.Head.Add(chunk.Sequence, generation.Lambda);
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

    /// <summary>Texts are scored together where their λ are the same.</summary>
    private void DivideScores(IReadOnlyList<Chunk> chunks)
    {
        foreach (ScoreGroup unused in scores.Where(group => group.Chunks.Count == 0))
        {
            unused.Batch.Dispose();
        }

        scores.RemoveAll(group => group.Chunks.Count == 0);
        foreach (ScoreGroup group in scores)
        {
            group.Chunks.Clear();
            group.Batch.Clear();
        }

        foreach (Chunk chunk in chunks)
        {
            if (chunk.Sequence.Job is Scoring scoring)
            {
                ScoreGroup? group = scores.Find(candidate => candidate.Batch.Serves(scoring.Lambdas));
                if (group is null)
                {
                    group = new ScoreGroup(new ScoreBatch(kernels, scoring.Lambdas));
                    scores.Add(group);
                }

                group.Chunks.Add(chunk);
                group.Batch.Add(scoring, chunk.Sequence.TokenSpan.Slice(chunk.End - chunk.Outputs + 1, chunk.Outputs));
            }
        }

        foreach (ScoreGroup group in scores)
        {
            if (group.Batch.Count > 0)
            {
                group.Batch.Upload();
            }
        }
    }

    private Group GroupOf(GenerationRequest request) => (request.NeedsReference, request.NeedsAligned) switch
    {
        (true, false) => referenceOnly,
        (false, true) => alignedOnly,
        _ => request.NeedsStatistics ? figures : mixture,
    };

    /// <summary>
    /// Afterwards the outputs of the models are in the order [reference only | figures | mixture | scores] and
    /// [figures | mixture | scores | aligned only]; where one model is both, all of them in one.
    /// </summary>
    private void RunModels()
    {
        bool apart = !pair.IsSingleModel && (referenceOnly.Chunks.Count > 0 || alignedOnly.Chunks.Count > 0);
        if (!apart)
        {
            Pack(batch, referenceOnly.Chunks, figures.Chunks, mixture.Chunks, ScoreChunks, alignedOnly.Chunks);
            pair.Forward(batch);
            return;
        }

        if (Pack(batch, referenceOnly.Chunks, figures.Chunks, mixture.Chunks, ScoreChunks))
        {
            pair.Forward(batch, needAligned: false);
            kernels.Run(); // the aligned model's batch is uploaded next, and nothing may be written while operations wait
        }

        if (Pack(alignedBatch, figures.Chunks, mixture.Chunks, ScoreChunks, alignedOnly.Chunks))
        {
            pair.Forward(alignedBatch, needReference: false);
        }
    }

    private void EnqueueHeads()
    {
        int reference = 0, aligned = 0;
        Draw(referenceOnly);
        Draw(figures);
        Draw(mixture);
        foreach (ScoreGroup group in scores)
        {
            int count = group.Batch.Count;
            if (count > 0)
            {
                group.Batch.Enqueue(pair.ReferenceHead(reference, count), pair.AlignedHead(aligned, count), pair.Vocabulary);
                reference += count;
                aligned += count;
            }
        }

        Draw(alignedOnly);

        void Draw(Group group)
        {
            int count = group.Head.Count;
            if (count > 0)
            {
                HeadModel? referenceHead = group == alignedOnly ? null : pair.ReferenceHead(reference, count);
                HeadModel? alignedHead = group == referenceOnly ? null : pair.AlignedHead(aligned, count);
                group.Head.Enqueue(referenceHead, alignedHead, pair.Vocabulary, statistics: group == figures);
                reference += group == alignedOnly && !pair.IsSingleModel ? 0 : count;
                aligned += group == referenceOnly && !pair.IsSingleModel ? 0 : count;
            }
        }
    }

    /// <summary>Gives scored texts their figures, and returns the tokens drawn.</summary>
    private List<DrawnToken> Collect()
    {
        foreach (ScoreGroup group in scores)
        {
            if (group.Batch.Count > 0)
            {
                group.Batch.Deliver();
            }
        }

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
                    drawn.Add(new DrawnToken(chunk.Sequence.Generation!, group.Head.Result(row), group.Head.TopTokens(row)));
                    row++;
                }
            }
        }

        return drawn;
    }

    /// <summary>Packs and uploads chunks; false if there are none.</summary>
    private static bool Pack(ForwardBatch target, params ReadOnlySpan<IEnumerable<Chunk>> parts)
    {
        target.Clear();
        foreach (IEnumerable<Chunk> part in parts)
        {
            foreach (Chunk chunk in part)
            {
                ReadOnlySpan<int> tokens = chunk.Sequence.TokenSpan.Slice(chunk.Start, chunk.Count);
                target.Add(tokens, chunk.Start, chunk.Sequence.Blocks, chunk.Sequence.Tokens.Count, chunk.Outputs);
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

    /// <summary>Chunks of texts that are scored under one list of λ, and their rows in the same order.</summary>
    private sealed record ScoreGroup(ScoreBatch Batch)
    {
        public List<Chunk> Chunks { get; } = [];
    }
}
