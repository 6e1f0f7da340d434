namespace DeRa.Tokenization;

/// <summary>A set of code points: a range, or a predicate whose answers are remembered in pages of 256 as they are asked for.</summary>
internal sealed class CodePointSet
{
    private const int PageBits = 8;
    private const int WordsPerPage = (1 << PageBits) / 64;

    // Only the basic plane is remembered: 256 pages of 32 bytes. Threads may fill a page twice, with the same bits.
    private readonly ulong[]?[] pages = [];
    private readonly Func<int, bool> contains;
    private readonly (int First, int Last)? range;

    public CodePointSet(Func<int, bool> contains)
    {
        this.contains = contains;
        pages = new ulong[]?[0x10000 >> PageBits];
    }

    private CodePointSet(int first, int last)
    {
        contains = codePoint => codePoint >= first && codePoint <= last;
        range = (first, last);
    }

    public bool Contains(int codePoint)
    {
        if (range is { } bounds)
            return codePoint >= bounds.First && codePoint <= bounds.Last;
        if (codePoint >= 0x10000)
            return contains(codePoint);
        ulong[] page = pages[codePoint >> PageBits] ??= Fill(codePoint >> PageBits);
        int bit = codePoint & ((1 << PageBits) - 1);
        return (page[bit / 64] >> (bit % 64) & 1) != 0;
    }

    public static CodePointSet Range(int first, int last) => new(first, last);

    public static CodePointSet Union(IReadOnlyList<CodePointSet> parts)
    {
        if (parts.Count == 1)
            return parts[0];
        CodePointSet[] members = [.. parts];
        return new CodePointSet(codePoint => Array.Exists(members, part => part.Contains(codePoint)));
    }

    public CodePointSet And(CodePointSet other) => new(codePoint => Contains(codePoint) && other.Contains(codePoint));

    public CodePointSet Not() => new(codePoint => !Contains(codePoint));

    /// <summary>This set and every code point that differs from a member in case only (simple case mappings).</summary>
    public CodePointSet IgnoringCase()
    {
        if (range is { } bounds && bounds.First == bounds.Last)
        {
            int[] variants = [.. CaseVariants.Of(bounds.First)];
            return new CodePointSet(codePoint => Array.IndexOf(variants, codePoint) >= 0);
        }
        return new CodePointSet(codePoint => CaseVariants.Of(codePoint).Any(Contains));
    }

    private ulong[] Fill(int page)
    {
        ulong[] bits = new ulong[WordsPerPage];
        for (int bit = 0; bit < 1 << PageBits; bit++)
        {
            if (contains((page << PageBits) | bit))
                bits[bit / 64] |= 1UL << (bit % 64);
        }
        return bits;
    }
}
