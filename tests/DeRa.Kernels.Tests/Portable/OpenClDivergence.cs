using System.Text.RegularExpressions;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>
/// Finds barriers that only some work-items of a group reach, in the OpenCL C that ILGPU writes: one statement a line, one variable a value, labels
/// and gotos. What depends on the local index differs between work-items; so does what is loaded from an address that does, and what is assigned
/// under a branch on such a value.
/// </summary>
internal sealed partial class OpenClDivergence
{
    private readonly List<Block> blocks = [];
    private readonly HashSet<string> differs = [];

    private OpenClDivergence(string source)
    {
        Parse(source);
        Link();
        while (Spread())
        {
        }
    }

    /// <summary>Labels of the blocks with such a barrier.</summary>
    public static IReadOnlyList<string> DivergentBarriers(string source)
    {
        var found = new OpenClDivergence(source);
        HashSet<Block> partial = found.UnderDivergentBranches();
        return [.. partial.Where(b => b.Lines.Any(line => line.Contains("barrier", StringComparison.Ordinal))).Select(b => b.Label)];
    }

    private void Parse(string source)
    {
        string[] lines = source.Split('\n');
        int start = Array.FindIndex(lines, line => line.StartsWith("kernel void", StringComparison.Ordinal));
        var block = new Block("entry");
        blocks.Add(block);
        for (int i = start + 1; i < lines.Length; i++)
        {
            if (LabelLine().Match(lines[i]) is { Success: true } label)
            {
                block = new Block(label.Groups[1].Value);
                blocks.Add(block);
            }

            block.Lines.Add(lines[i]);
        }
    }

    // ILGPU writes "if (c)", "goto A;", "goto B;" or "goto A;" or "return ;" at the end of a block.
    private void Link()
    {
        Dictionary<string, Block> named = blocks.ToDictionary(b => b.Label);
        for (int i = 0; i < blocks.Count; i++)
        {
            Block block = blocks[i];
            string[] targets = [.. block.Lines.Select(line => Goto().Match(line)).Where(m => m.Success).Select(m => m.Groups[1].Value)];
            bool falls = targets.Length == 0 && i + 1 < blocks.Count && !block.Lines.Any(line => line.Contains("return", StringComparison.Ordinal));
            block.Successors = falls ? [blocks[i + 1]] : [.. targets.Select(t => named[t]).Distinct()];
            block.Condition = block.Lines.Select(line => If().Match(line)).LastOrDefault(m => m.Success)?.Groups[1].Value;
        }
    }

    private bool Spread()
    {
        int before = differs.Count;
        HashSet<Block> partial = UnderDivergentBranches();
        Dictionary<string, int> assignments = [];
        foreach ((Block block, Match m) in Assignments())
        {
            string target = m.Groups[1].Value;
            assignments[target] = assignments.GetValueOrDefault(target) + 1;
        }

        foreach ((Block block, Match m) in Assignments())
        {
            string value = m.Groups[2].Value;
            bool merges = assignments[m.Groups[1].Value] > 1 && partial.Contains(block);
            if (merges || value.Contains("get_local_id", StringComparison.Ordinal) || Variable().Matches(value).Any(v => differs.Contains(v.Value)))
            {
                differs.Add(m.Groups[1].Value);
            }
        }

        return differs.Count > before;
    }

    private IEnumerable<(Block Block, Match Match)> Assignments() =>
        from block in blocks
        from line in block.Lines
        let match = Assignment().Match(line)
        where match.Success
        select (block, match);

    // The blocks between a divergent branch and the point where its ways meet again.
    private HashSet<Block> UnderDivergentBranches()
    {
        var partial = new HashSet<Block>();
        foreach (Block block in blocks.Where(b => b.Successors.Count > 1 && differs.Contains(b.Condition!)))
        {
            Block? meeting = block.Meeting ??= Meeting(block);
            foreach (Block successor in block.Successors.Where(s => s != meeting))
            {
                partial.UnionWith(Reached(successor, meeting));
            }
        }

        return partial;
    }

    // Every way to the end leads over it, and none over another such block before it: that one reaches the most others.
    private static Block? Meeting(Block block) => Reached(block, null)
        .Where(m => m != block && !Reached(block, m).Any(b => b.Successors.Count == 0))
        .MinBy(m => Reached(block, m).Count);

    private static HashSet<Block> Reached(Block from, Block? until)
    {
        var seen = new HashSet<Block> { from };
        var open = new Stack<Block>(seen);
        while (open.TryPop(out Block? block))
        {
            foreach (Block next in block.Successors.Where(s => s != until && seen.Add(s)))
            {
                open.Push(next);
            }
        }

        return seen;
    }

    [GeneratedRegex(@"^\s*(L_\w+):")]
    private static partial Regex LabelLine();

    [GeneratedRegex(@"goto (L_\w+);")]
    private static partial Regex Goto();

    [GeneratedRegex(@"^\s*if \((var\d+)\)\s*$")]
    private static partial Regex If();

    [GeneratedRegex(@"^\s*(var\d+)(?:\.\w+)* = (.*);\s*$")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"var\d+")]
    private static partial Regex Variable();

    /// <summary>A basic block.</summary>
    private sealed class Block(string label)
    {
        public string Label { get; } = label;

        public List<string> Lines { get; } = [];

        public IReadOnlyList<Block> Successors { get; set; } = [];

        public string? Condition { get; set; }

        public Block? Meeting { get; set; }
    }
}
