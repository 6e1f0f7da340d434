using System.Buffers;

namespace DeRa.Tokenization;

/// <summary>Finds the leftmost, then longest, of a set of strings.</summary>
internal sealed class TokenTrie
{
    private const int Root = 0;

    private readonly Dictionary<(int Node, char Unit), int> edges = [];
    private readonly Dictionary<int, int> idAtNode = [];
    private readonly SearchValues<char> firstUnits;
    private int nodes = 1;

    public TokenTrie(IEnumerable<(string Text, int Id)> entries)
    {
        HashSet<char> first = [];
        foreach ((string text, int id) in entries)
        {
            if (text.Length == 0)
                continue;
            first.Add(text[0]);
            int node = Root;
            foreach (char unit in text)
            {
                if (!edges.TryGetValue((node, unit), out int child))
                    edges.Add((node, unit), child = nodes++);
                node = child;
            }
            idAtNode[node] = id;
        }
        firstUnits = SearchValues.Create([.. first]);
    }

    /// <summary>The first match at or after <paramref name="from"/>.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int length, out int id)
    {
        for (start = from; start < text.Length; start++)
        {
            int skip = text[start..].IndexOfAny(firstUnits);
            if (skip < 0)
                break;
            start += skip;
            if (TryMatch(text[start..], out length, out id))
                return true;
        }
        (start, length, id) = (text.Length, 0, 0);
        return false;
    }

    private bool TryMatch(ReadOnlySpan<char> text, out int length, out int id)
    {
        (length, id) = (0, 0);
        int node = Root;
        for (int i = 0; i < text.Length && edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (idAtNode.TryGetValue(node, out int found))
                (length, id) = (i + 1, found);
        }
        return length > 0;
    }
}
