using System.Text;

namespace DeRa.Tokenization;

/// <summary>The code points that simple case folding makes equal to a given one.</summary>
internal static class CaseVariants
{
    /// <summary>Groups that upper and lower case alone do not connect (Unicode CaseFolding.txt, statuses C and S).</summary>
    private static readonly int[][] Groups =
    [
        ['k', 'K', 0x212A], ['s', 'S', 0x17F], [0xE5, 0xC5, 0x212B], [0xB5, 0x3BC, 0x39C], [0x1C4, 0x1C5, 0x1C6], [0x1C7, 0x1C8, 0x1C9],
        [0x1CA, 0x1CB, 0x1CC], [0x1F1, 0x1F2, 0x1F3], [0x345, 0x399, 0x3B9, 0x1FBE], [0x392, 0x3B2, 0x3D0], [0x395, 0x3B5, 0x3F5],
        [0x398, 0x3B8, 0x3D1, 0x3F4], [0x39A, 0x3BA, 0x3F0], [0x3A0, 0x3C0, 0x3D6], [0x3A1, 0x3C1, 0x3F1], [0x3A3, 0x3C2, 0x3C3],
        [0x3A6, 0x3C6, 0x3D5], [0x3A9, 0x3C9, 0x2126], [0x1E60, 0x1E61, 0x1E9B], [0xDF, 0x1E9E],
    ];

    private static readonly Dictionary<int, int[]> GroupOf =
        Groups.SelectMany(group => group.Select(member => (member, group))).ToDictionary(pair => pair.member, pair => pair.group);

    public static IEnumerable<int> Of(int codePoint)
    {
        if (GroupOf.TryGetValue(codePoint, out int[]? group))
            return group;
        if (!Rune.TryCreate(codePoint, out Rune rune))
            return [codePoint];
        return new HashSet<int> { codePoint, Rune.ToLowerInvariant(rune).Value, Rune.ToUpperInvariant(rune).Value };
    }
}
