namespace DeRa.Tokenization;

/// <summary>What one instruction of a compiled pattern does.</summary>
internal enum PatternOp
{
    /// <summary>Takes one code point of <c>Set</c>.</summary>
    Take,

    /// <summary>Takes <c>Min</c> to <c>Max</c> code points of <c>Set</c> as <c>Mode</c> says.</summary>
    TakeMany,

    /// <summary>Goes on at <c>Target</c>; should that fail, at <c>Other</c>.</summary>
    Fork,

    /// <summary>Goes on at <c>Target</c>.</summary>
    Jump,

    /// <summary>Tests the position.</summary>
    Test,

    /// <summary>Runs the program that follows as a look-around (<c>Min</c> code points back) and goes on at <c>Target</c>.</summary>
    Look,

    /// <summary>Runs the program that follows, keeps its first way of matching, and goes on at <c>Target</c>.</summary>
    Atomic,

    /// <summary>Notes the position at which a round of loop <c>Other</c> begins.</summary>
    EnterRound,

    /// <summary>Goes back to <c>Target</c> for another round of loop <c>Other</c> unless the last one took nothing.</summary>
    NextRound,

    /// <summary>The program has matched.</summary>
    Accept,
}

internal readonly record struct PatternInstruction(
    PatternOp Op,
    int Target = 0,
    int Other = 0,
    CodePointSet? Set = null,
    int Min = 0,
    int Max = 0,
    RepeatMode Mode = RepeatMode.Greedy,
    bool Negative = false,
    PositionTest Test = default);

/// <summary>A pattern as instructions; its top-level alternatives have an entry each.</summary>
internal sealed class PatternProgram
{
    /// <summary>Published patterns need a few hundred instructions; nested counts multiply.</summary>
    private const int MostInstructions = 20_000;

    private readonly List<PatternInstruction> code = [];

    public PatternProgram(PatternNode root)
    {
        IReadOnlyList<PatternNode> alternatives = root is AlternationNode alternation ? alternation.Options : [root];
        foreach (PatternNode alternative in alternatives)
        {
            Entries.Add(code.Count);
            Compile(alternative);
            Emit(new PatternInstruction(PatternOp.Accept));
        }
        Code = [.. code];
    }

    public PatternInstruction[] Code { get; }

    public List<int> Entries { get; } = [];

    /// <summary>How many loops need their round's start noted.</summary>
    public int Loops { get; private set; }

    private int Emit(PatternInstruction instruction)
    {
        if (code.Count >= MostInstructions)
            throw new TokenizerException($"regular expression: expected at most {MostInstructions} steps once counts are written out, found more");
        code.Add(instruction);
        return code.Count - 1;
    }

    private void Compile(PatternNode node)
    {
        switch (node)
        {
            case SetNode set:
                Emit(new PatternInstruction(PatternOp.Take, Set: set.Set));
                break;
            case SequenceNode sequence:
                foreach (PatternNode part in sequence.Parts)
                    Compile(part);
                break;
            case AlternationNode alternation:
                CompileAlternation(alternation.Options);
                break;
            case RepeatNode repeat:
                CompileRepeat(repeat);
                break;
            case LookNode look:
                CompileLook(look);
                break;
            case AtomicNode atomic:
                CompileInner(PatternOp.Atomic, atomic.Body, back: 0, negative: false);
                break;
            case TestNode test:
                Emit(new PatternInstruction(PatternOp.Test, Test: test.Test));
                break;
        }
    }

    private void CompileAlternation(IReadOnlyList<PatternNode> options)
    {
        List<int> exits = [];
        for (int i = 0; i < options.Count; i++)
        {
            bool isLast = i == options.Count - 1;
            int fork = isLast ? 0 : Emit(new PatternInstruction(PatternOp.Fork));
            Compile(options[i]);
            if (isLast)
                break;
            exits.Add(Emit(new PatternInstruction(PatternOp.Jump)));
            code[fork] = code[fork] with { Target = fork + 1, Other = code.Count };
        }
        foreach (int exit in exits)
            code[exit] = code[exit] with { Target = code.Count };
    }

    private void CompileRepeat(RepeatNode repeat)
    {
        if (repeat.Body is SetNode set)
        {
            Emit(new PatternInstruction(
                PatternOp.TakeMany, Set: set.Set, Min: repeat.Min, Max: repeat.Max ?? int.MaxValue, Mode: repeat.Mode));
            return;
        }
        if (repeat.Mode == RepeatMode.Possessive)
        {
            Compile(new AtomicNode(repeat with { Mode = RepeatMode.Greedy }));
            return;
        }
        for (int i = 0; i < repeat.Min; i++)
            Compile(repeat.Body);
        bool lazy = repeat.Mode == RepeatMode.Lazy;
        if (repeat.Max is { } max)
            CompileOptionalRounds(repeat.Body, max - repeat.Min, lazy);
        else
            CompileLoop(repeat.Body, lazy);
    }

    private void CompileOptionalRounds(PatternNode body, int rounds, bool lazy)
    {
        List<int> forks = [];
        for (int i = 0; i < rounds; i++)
        {
            forks.Add(Emit(new PatternInstruction(PatternOp.Fork)));
            Compile(body);
        }
        foreach (int fork in forks)
            SetFork(fork, into: fork + 1, past: code.Count, lazy);
    }

    private void CompileLoop(PatternNode body, bool lazy)
    {
        int loop = Loops++;
        int fork = Emit(new PatternInstruction(PatternOp.Fork));
        Emit(new PatternInstruction(PatternOp.EnterRound, Other: loop));
        Compile(body);
        Emit(new PatternInstruction(PatternOp.NextRound, Target: fork, Other: loop));
        SetFork(fork, into: fork + 1, past: code.Count, lazy);
    }

    private void SetFork(int fork, int into, int past, bool lazy) =>
        code[fork] = code[fork] with { Target = lazy ? past : into, Other = lazy ? into : past };

    private void CompileLook(LookNode look)
    {
        if (!look.Behind)
        {
            CompileInner(PatternOp.Look, look.Body, back: 0, look.Negative);
            return;
        }
        // Looking behind steps back by the body's width, so every alternative needs a width of its own:
        // not behind any of them is a row of tests, behind one of them a choice.
        IReadOnlyList<PatternNode> bodies = look.Body is AlternationNode alternation ? alternation.Options : [look.Body];
        if (bodies.Count > 1 && !look.Negative)
        {
            CompileAlternation([.. bodies.Select(body => new LookNode(body, Behind: true, Negative: false))]);
            return;
        }
        foreach (PatternNode body in bodies)
        {
            int back = body.Width ?? throw new TokenizerException("regular expression: expected a look-behind of fixed width, found one that varies");
            CompileInner(PatternOp.Look, body, back, look.Negative);
        }
    }

    private void CompileInner(PatternOp op, PatternNode body, int back, bool negative)
    {
        int start = Emit(new PatternInstruction(op, Min: back, Negative: negative));
        Compile(body);
        Emit(new PatternInstruction(PatternOp.Accept));
        code[start] = code[start] with { Target = code.Count };
    }
}
