using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Benchmarks;

/// <summary>Workloads that take steps through both models. The caches start out as zeros: what they hold changes no time.</summary>
internal static class StepWorkloads
{
    /// <summary>Tokens per step of a prompt, the engine's own limit.</summary>
    private const int ChunkTokens = 512;

    /// <summary>One step of <c>batch</c> sequences that each draw a token after <c>context</c> positions.</summary>
    public static IEnumerable<Case> Decode(PairSession session, BenchmarkOptions options)
    {
        int most = options.Batches.Max(), context = options.Context, blocks = KvCache.BlocksFor(context + 1);
        session.Pair.Allocate(new StepCapacity(most, most, most * blocks));
        using HeadWays head = session.CreateHead(most);
        foreach (int size in options.Batches)
        {
            using ForwardBatch batch = session.Pair.CreateBatch();
            for (int sequence = 0; sequence < size; sequence++)
            {
                batch.Add([Token(sequence, session)], context, Blocks(sequence * blocks, blocks), context + 1, outputs: 1);
            }

            yield return new Case(
                new CaseDescription("decode") { Batch = size, Context = context }, size,
                session.Ways([batch], head, session.Reference.Layers(size, context, 1), session.Aligned.Layers(size, context, 1)));
        }
    }

    /// <summary>A prompt from its first token to the first one drawn.</summary>
    public static IEnumerable<Case> Prefill(PairSession session, BenchmarkOptions options)
    {
        int longest = options.PromptLengths.Max();
        session.Pair.Allocate(new StepCapacity(Math.Min(longest, ChunkTokens), 1, KvCache.BlocksFor(longest)));
        using HeadWays head = session.CreateHead(1);
        using PeerProjections? peer = options.OpenBlasPeer ? new PeerProjections(session.Reference.Projections, Math.Min(longest, ChunkTokens)) : null;
        foreach (int length in options.PromptLengths)
        {
            int[] tokens = Text(length, session);
            var batches = new List<ForwardBatch>();
            Work reference = default, aligned = default;
            for (int start = 0; start < length; start += ChunkTokens)
            {
                int count = Math.Min(ChunkTokens, length - start);
                ForwardBatch batch = session.Pair.CreateBatch();
                batch.Add(tokens.AsSpan(start, count), start, Blocks(0, KvCache.BlocksFor(length)), length, outputs: start + count == length ? 1 : 0);
                batches.Add(batch);
                reference += session.Reference.Layers(1, start, count);
                aligned += session.Aligned.Layers(1, start, count);
            }

            yield return new Case(
                new CaseDescription("prefill") { Tokens = length }, length,
                [.. session.Ways(batches, head, reference, aligned), .. PeerWays(peer, [.. batches.Select(batch => batch.TokenCount)])]);
            foreach (ForwardBatch batch in batches)
            {
                batch.Dispose();
            }
        }
    }

    private static IEnumerable<Variant> PeerWays(PeerProjections? peer, int[] chunks)
    {
        if (peer is not null)
        {
            yield return new Variant(
                Mode.OpenBlas, () => Array.ForEach(chunks, peer.Run), chunks.Select(peer.Cost).Aggregate(Work.Add));
        }
    }

    /// <summary>Every token of a text under K values of λ: one sweep, or stored logits mixed and normalised once per λ.</summary>
    public static IEnumerable<Case> Score(PairSession session, BenchmarkOptions options)
    {
        KernelSet kernels = session.Kernels;
        ModelPair pair = session.Pair;
        int length = options.ScoredTokens, most = options.LambdaCounts.Max();
        pair.Allocate(new StepCapacity(length, length, KvCache.BlocksFor(length)));
        using HeadWays head = session.CreateHead(length);
        using ForwardBatch batch = pair.CreateBatch();
        using DeviceBuffer targets = kernels.Allocate(sizeof(int) * (long)length), lambdas = kernels.Allocate(sizeof(float) * (long)most);
        using DeviceBuffer statistics = kernels.Allocate(12L * length * most), targetLogits = kernels.Allocate(8L * length);
        int[] tokens = Text(length + 1, session);
        batch.Add(tokens.AsSpan(0, length), 0, Blocks(0, KvCache.BlocksFor(length)), length + 1, outputs: length);
        kernels.Write<int>(targets, 0, tokens.AsSpan(1));
        kernels.Write<float>(lambdas, 0, [.. Enumerable.Range(0, most).Select(i => 0.1f * i)]);
        var hostStatistics = new ScoreStatistic[length * most];
        Work work = session.Reference.Layers(1, 0, length) + session.Aligned.Layers(1, 0, length)
            + session.Reference.HeadWeights.Project(length) + session.Aligned.HeadWeights.Project(length);

        foreach (int count in options.LambdaCounts)
        {
            yield return new Case(new CaseDescription("score") { Tokens = length, Lambdas = count }, length,
            [
                new Variant(Mode.Naive, () => Naive(count), work + HeadCost.StoredLogits(pair.Vocabulary, length, mixtures: count), work),
                new Variant(Mode.Fused, () => Fused(count), work),
            ]);
        }

        void Naive(int count)
        {
            HeadModel r = pair.ReferenceHead(0, length), a = pair.AlignedHead(0, length);
            batch.Upload();
            pair.Forward(batch, needAligned: false);
            head.ReferenceLogits(r);
            kernels.Run();
            pair.Forward(batch, needReference: false);
            head.AlignedLogits(a);
            kernels.Run();
            for (int i = 0; i < count; i++)
            {
                head.MixAndNormalise(r, a);
            }
        }

        void Fused(int count)
        {
            batch.Upload();
            pair.Forward(batch);
            kernels.RealignScore(
                pair.ReferenceHead(0, length), pair.AlignedHead(0, length), pair.Vocabulary, new IntVector(targets, 0, length), lambdas, count, statistics,
                targetLogits);
            kernels.Run();
            kernels.Read(statistics, 0, hostStatistics.AsSpan(0, length * count));
        }
    }

    private static int Token(int index, PairSession session) => (int)((index * 7919L) % session.Pair.Vocabulary); // a prime stride: few repeats

    private static int[] Text(int length, PairSession session) => [.. Enumerable.Range(0, length).Select(i => Token(i, session))];

    private static int[] Blocks(int first, int count) => [.. Enumerable.Range(first, count)];
}
