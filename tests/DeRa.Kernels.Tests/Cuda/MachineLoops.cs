using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>Loops of machine code as cuobjdump prints it: what lies between a branch back and where it goes.</summary>
internal static partial class MachineLoops
{
    /// <summary>
    /// Instructions of each loop that multiplies on tensor cores at least so often, the smallest of loops within each other. Loops within it count once, and so
    /// do branches that are not always taken.
    /// </summary>
    public static IReadOnlyList<string[]> Multiplying(string sass, int tensors) => Having(sass, Tensor(), tensors);

    /// <summary>The same of loops that begin at least so many asynchronous copies.</summary>
    public static IReadOnlyList<string[]> Copying(string sass, int copies) => Having(sass, Copy(), copies);

    /// <summary>Whether it is the beginning of a division of integers by one that the assembler does not know.</summary>
    public static bool IsDivision(string instruction) => Reciprocal().IsMatch(instruction);

    private static IReadOnlyList<string[]> Having(string sass, Regex kind, int atLeast)
    {
        (int Address, string Text)[] code =
        [
            .. Instruction().Matches(sass).Select(m => (int.Parse(m.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture), m.Groups[2].Value)),
        ];
        (int First, int Last, string[] Body)[] loops =
        [
            .. from instruction in code
               let branch = Branch().Match(instruction.Text)
               where branch.Success
               let to = int.Parse(branch.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
               where to < instruction.Address
               let body = code.Where(other => other.Address >= to && other.Address <= instruction.Address).Select(other => other.Text).ToArray()
               where body.Count(kind.IsMatch) >= atLeast
               select (to, instruction.Address, body),
        ];
        return
        [
            .. loops.Where(loop => !loops.Any(other => other != loop && other.First >= loop.First && other.Last <= loop.Last)).Select(loop => loop.Body),
        ];
    }

    [GeneratedRegex(@"^\s+/\*([0-9a-f]{4,5})\*/\s+(.*?)\s*;", RegexOptions.Multiline)]
    private static partial Regex Instruction();

    [GeneratedRegex(@"\bBRA\S*\s+(?:\S+,\s*)?0x([0-9a-f]+)")]
    private static partial Regex Branch();

    [GeneratedRegex(@"\bHG?MMA\b")]
    private static partial Regex Tensor();

    [GeneratedRegex(@"\bLDGSTS\b")]
    private static partial Regex Copy();

    [GeneratedRegex(@"\bI2F(\.\w+)*\.RP\b")]
    private static partial Regex Reciprocal();
}
