using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>Whether two models speak of the same tokens, without which their logits cannot be mixed.</summary>
public static class PairCheck
{
    /// <summary>Rows of the output matrices that both models have: the longer one's extra rows are padding.</summary>
    public static int SharedVocabulary(ModelConfig reference, ModelConfig aligned)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(aligned);
        return Math.Min(reference.VocabSize, aligned.VocabSize);
    }

    /// <summary>Requires that both tokenizers map the same tokens to the same ids, all below the shared vocabulary.</summary>
    /// <param name="reference">Token → id of the reference model, added tokens included.</param>
    /// <param name="aligned">Token → id of the aligned model, added tokens included.</param>
    /// <param name="sharedVocabulary">Rows that both output matrices have.</param>
    /// <exception cref="PairMismatchException">They differ: the first difference in the order of ids.</exception>
    public static void Compare(IReadOnlyDictionary<string, int> reference, IReadOnlyDictionary<string, int> aligned, int sharedVocabulary)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(aligned);
        (int Id, string Token)? first = null;
        foreach ((string token, int id) in reference)
        {
            if (!aligned.TryGetValue(token, out int other)) Offer(id, token);
            else if (other != id) Offer(Math.Min(id, other), token);
        }

        foreach ((string token, int id) in aligned)
        {
            if (!reference.ContainsKey(token)) Offer(id, token);
        }

        if (first is (_, string differing)) throw new PairMismatchException(differing, Id(reference, differing), Id(aligned, differing));

        foreach ((string token, int id) in reference)
        {
            if (id >= sharedVocabulary)
            {
                throw new PairMismatchException(
                    $"token '{token}' has id {id}, but only ids below {sharedVocabulary} have a row in both models' output matrices");
            }
        }

        void Offer(int id, string token)
        {
            if (first is not (int bestId, string best) || id < bestId || (id == bestId && string.CompareOrdinal(token, best) < 0))
                first = (id, token);
        }
    }

    private static int? Id(IReadOnlyDictionary<string, int> map, string token) => map.TryGetValue(token, out int id) ? id : null;
}
