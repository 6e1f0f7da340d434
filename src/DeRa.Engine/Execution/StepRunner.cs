using System.Runtime.InteropServices;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Execution;

/// <summary>A token drawn for a generation in a step.</summary>
internal readonly record struct DrawnToken(Generation Generation, HeadResult Result, TopToken[] TopTokens);

/// <summary>
/// Runs one planned step on the device: copies blocks, packs the chunks, runs the models they need, draws and scores. Usually every chunk is
/// computed by both models and one packed batch serves both; where some need one model only (λ = 0, λ = 1, a model that catches up), each model
/// gets a batch of its own.
/// </summary>
/// <remarks>
/// Which section of the head a job is in depends on its own request alone, so what the head computes for it does not depend on the rest of the
/// step. Several jobs may read one hidden state.
/// </remarks>
internal sealed class StepRunner(KernelSet kernels, ModelPair pair) : IDisposable
{
    private readonly DrawSection referenceOnly = new(kernels, ModelSet.Reference);
    private readonly DrawSection figures = new(kernels, ModelSet.Both);
    private readonly DrawSection mixture = new(kernels, ModelSet.Both);
    private readonly DrawSection alignedOnly = new(kernels, ModelSet.Aligned);
    private readonly List<ScoreSection> scores = [];
    private readonly ForwardBatch batch = pair.CreateBatch(), alignedBatch = pair.CreateBatch();
    private readonly List<int> ends = [], outputs = []; // per chunk the token after its last in the batch being packed; tokens whose hidden states are wanted
    private readonly List<DrawnToken> drawn = [];
    private List<Chunk> chunks = [];

    private DrawSection[] Draws => [referenceOnly, figures, mixture, alignedOnly];

    /// <summary>All sections, in the order of the models' outputs.</summary>
    private IEnumerable<HeadSection> Sections => [referenceOnly, figures, mixture, .. scores, alignedOnly];

    /// <summary>Computes a plan and returns the tokens drawn by what reaches its sequence's end; valid until the next call.</summary>
    public IReadOnlyList<DrawnToken> Run(StepPlan plan)
    {
        if (plan.Copies.Count > 0)
        {
            pair.CopyBlocks(plan.Copies);
        }

        chunks = plan.Chunks;
        Divide();
        bool together = pair.IsSingleModel || chunks.TrueForAll(chunk => chunk.ReferenceStart == chunk.AlignedStart);
        EnqueueStep(together);
        kernels.Run();
        return Collect();
    }

    public void Dispose()
    {
        batch.Dispose();
        alignedBatch.Dispose();
        foreach (HeadSection section in Sections)
        {
            section.Dispose();
        }
    }

    /// <summary>Assigns jobs to sections and uploads what the head needs to know of them.</summary>
    private void Divide()
    {
        foreach (ScoreSection unused in scores.Where(section => section.Rows.Count == 0))
        {
            unused.Dispose();
        }

        scores.RemoveAll(section => section.Rows.Count == 0);
        foreach (HeadSection section in Sections)
        {
            section.Clear();
        }

        for (int i = 0; i < chunks.Count; i++)
        {
            Chunk chunk = chunks[i];
            if (chunk.Outputs == 0)
            {
                continue;
            }

            foreach (Job job in chunk.Sequence.Jobs)
            {
                if (job is Generation generation)
                {
                    SectionOf(generation).Add(i, generation, pair.IsSingleModel ? 0 : generation.Lambda);
                }
                else if (job is Scoring scoring)
                {
                    SectionOf(scoring).Add(i, scoring, chunk);
                }
            }
        }

        foreach (HeadSection section in Sections.Where(section => section.Rows.Count > 0))
        {
            section.Upload();
        }
    }

    private DrawSection SectionOf(Generation generation) => generation.Needs switch
    {
        ModelSet.Reference => referenceOnly,
        ModelSet.Aligned => alignedOnly,
        _ => generation.Request.NeedsStatistics ? figures : mixture,
    };

    /// <summary>Texts are scored together where their λ are the same.</summary>
    private ScoreSection SectionOf(Scoring scoring)
    {
        ScoreSection? section = scores.Find(candidate => candidate.Batch.Serves(scoring.Lambdas));
        if (section is null)
        {
            section = new ScoreSection(new ScoreBatch(kernels, scoring.Lambdas));
            scores.Add(section);
        }

        return section;
    }

    /// <summary>
    /// Enqueues models and heads. Each model's outputs are the rows of the sections that need it, one section after another; of all sections where one
    /// batch serves both.
    /// </summary>
    private void EnqueueStep(bool together)
    {
        HeadsShape? shape = scores.Count > 0 ? null : new(together, referenceOnly.Shape, figures.Shape, mixture.Shape, alignedOnly.Shape);
        var heads = new PairHead(shape, () => EnqueueHeads(together));
        if (together)
        {
            Pack(batch, ModelSet.Reference, Sections);
            pair.Forward(batch, batch, heads);
            return;
        }

        bool reference = Pack(batch, ModelSet.Reference, Sections.Where(section => section.Needs.HasFlag(ModelSet.Reference)));
        bool aligned = Pack(alignedBatch, ModelSet.Aligned, Sections.Where(section => section.Needs.HasFlag(ModelSet.Aligned)));
        pair.Forward(reference ? batch : null, aligned ? alignedBatch : null, heads);
    }

    private void EnqueueHeads(bool together)
    {
        int reference = 0, aligned = 0;
        foreach (HeadSection section in Sections)
        {
            int count = section.Rows.Count;
            if (count > 0)
            {
                HeadModel? referenceHead = section.Needs.HasFlag(ModelSet.Reference) ? pair.ReferenceHead(reference, count) : null;
                HeadModel? alignedHead = section.Needs.HasFlag(ModelSet.Aligned) ? pair.AlignedHead(aligned, count) : null;
                section.Enqueue(referenceHead, alignedHead, pair.Vocabulary, statistics: section == figures);
                reference += together || referenceHead is not null ? count : 0;
                aligned += together || alignedHead is not null ? count : 0;
            }
        }
    }

    /// <summary>Gives scored texts their figures, and returns the tokens drawn.</summary>
    private List<DrawnToken> Collect()
    {
        foreach (ScoreSection section in scores)
        {
            section.Deliver();
        }

        drawn.Clear();
        foreach (DrawSection section in Draws)
        {
            section.Collect(drawn);
        }

        return drawn;
    }

    /// <summary>Packs and uploads what a model computes of the chunks, and the hidden states that the sections read; false if it computes nothing.</summary>
    private bool Pack(ForwardBatch target, ModelSet model, IEnumerable<HeadSection> sections)
    {
        target.Clear();
        ends.Clear();
        outputs.Clear();
        foreach (Chunk chunk in chunks)
        {
            int start = model == ModelSet.Reference ? chunk.ReferenceStart : chunk.AlignedStart;
            if (start < chunk.End)
            {
                Sequence sequence = chunk.Sequence;
                target.Add(sequence.TokenSpan[start..chunk.End], start, sequence.BlockSpan, sequence.Tokens.Count, outputs: 0);
            }

            ends.Add(target.TokenCount);
        }

        if (target.SequenceCount == 0)
        {
            return false;
        }

        foreach (HeadSection section in sections)
        {
            foreach ((int chunk, int fromEnd) in section.Rows)
            {
                outputs.Add(ends[chunk] - fromEnd);
            }
        }

        target.SelectOutputs(CollectionsMarshal.AsSpan(outputs));
        target.Upload();
        return true;
    }

    /// <summary>Equal shapes enqueue the same heads on the same buffers.</summary>
    private sealed record HeadsShape(bool Together, HeadShape ReferenceOnly, HeadShape Figures, HeadShape Mixture, HeadShape AlignedOnly);
}
