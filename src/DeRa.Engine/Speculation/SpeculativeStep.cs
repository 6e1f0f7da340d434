using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Speculation;

/// <summary>Runs one model over the members' tokens, then the head that judges and drafts.</summary>
internal sealed class SpeculativeStep(KernelSet kernels, ModelPair pair, IDraftHead head) : IDisposable
{
    private readonly ForwardBatch batch = pair.CreateBatch();

    /// <summary>Computes the members; afterwards they have their results.</summary>
    public void Run(ModelSide side, IReadOnlyList<Member> members)
    {
        batch.Clear();
        int outputs = 0;
        foreach (Member member in members)
        {
            Sequence sequence = member.Generation.Sequence;
            member.First = outputs;
            outputs += member.Fed.Length;
            batch.Add(
                member.Fed, member.Start, sequence.BlockSpan, Math.Max(sequence.Tokens.Count, member.Start + member.Fed.Length), member.Fed.Length);
        }

        batch.Upload();
        head.Prepare(side, members);
        bool reference = side == ModelSide.Reference;
        pair.Forward(batch, needReference: reference, needAligned: !reference);
        head.Enqueue((reference ? pair.ReferenceHead(0, outputs) : pair.AlignedHead(0, outputs)).Hidden);
        kernels.Run();
        head.Read();
    }

    public void Dispose()
    {
        batch.Dispose();
        head.Dispose();
    }
}
