using System.Diagnostics.CodeAnalysis;

namespace DeRa.Tokenization;

/// <summary>Token ↔ id maps and the merge table (pair of ids → rank and merged id) of a BPE model.</summary>
internal sealed class BpeVocabulary
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> idsBySpan;
    private readonly Dictionary<int, string> tokens;
    private readonly Dictionary<long, (int Rank, int Merged)> merges = [];

    public BpeVocabulary(Dictionary<string, int> ids)
    {
        this.ids = ids;
        idsBySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        tokens = new Dictionary<int, string>(ids.Count);
        foreach ((string token, int id) in ids)
            tokens[id] = token;
    }

    public IReadOnlyDictionary<string, int> Ids => ids;

    public int Count => ids.Count;

    public bool TryGetId(ReadOnlySpan<char> token, out int id) => idsBySpan.TryGetValue(token, out id);

    public bool TryGetToken(int id, [NotNullWhen(true)] out string? token) => tokens.TryGetValue(id, out token);

    public bool TryGetMerge(int left, int right, out (int Rank, int Merged) merge) => merges.TryGetValue(Key(left, right), out merge);

    public void ReserveMerges(int count) => merges.EnsureCapacity(count);

    /// <summary>Adds the merge of two tokens at the given rank; a repeated pair keeps its last rank, as in the reference.</summary>
    /// <returns>Null, or the token that is missing from the vocabulary.</returns>
    public string? AddMerge(int rank, ReadOnlySpan<char> left, ReadOnlySpan<char> right, int prefixLength)
    {
        if (!TryGetId(left, out int leftId))
            return left.ToString();
        if (!TryGetId(right, out int rightId))
            return right.ToString();
        ReadOnlySpan<char> tail = right[Math.Min(prefixLength, right.Length)..];
        int length = left.Length + tail.Length;
        Span<char> joined = length <= 256 ? stackalloc char[length] : new char[length];
        left.CopyTo(joined);
        tail.CopyTo(joined[left.Length..]);
        if (!TryGetId(joined, out int merged))
            return joined.ToString();
        merges[Key(leftId, rightId)] = (rank, merged);
        return null;
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;
}
