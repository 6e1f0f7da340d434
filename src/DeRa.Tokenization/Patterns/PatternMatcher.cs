namespace DeRa.Tokenization;

/// <summary>
/// Runs a pattern over a text: a backtracking matcher, as the reference's is, with its stack on the heap and a budget of steps,
/// so that no pattern can overflow the stack or hang.
/// </summary>
internal ref struct PatternMatcher
{
    private const int NoMatch = -1;

    /// <summary>A runaway pattern on a short text stops after this many steps.</summary>
    private const long BaseBudget = 5_000_000;

    /// <summary>Published patterns take some ten steps per character.</summary>
    private const long BudgetPerUnit = 500;

    private readonly PatternInstruction[] code;
    private readonly List<int> entries;
    private readonly ReadOnlySpan<char> text;
    private readonly List<Frame> stack = [];
    private readonly int[] roundStarts;
    private readonly int[] hopelessBefore;
    private long budget;

    public PatternMatcher(PatternProgram program, ReadOnlySpan<char> text)
    {
        code = program.Code;
        entries = program.Entries;
        this.text = text;
        roundStarts = new int[program.Loops];
        hopelessBefore = new int[entries.Count];
        budget = BaseBudget + (BudgetPerUnit * text.Length);
    }

    /// <summary>The leftmost match that starts at or after <paramref name="from"/>: the first alternative that matches there.</summary>
    public bool TryFind(int from, out int start, out int end)
    {
        for (start = from; ; start += CodePoints.LengthAt(text, start))
        {
            for (int i = 0; i < entries.Count; i++)
            {
                if (start < hopelessBefore[i])
                    continue;
                end = Run(entries[i], start);
                if (end != NoMatch)
                    return true;
                MarkHopeless(i, start);
            }
            if (start >= text.Length)
            {
                end = NoMatch;
                return false;
            }
        }
    }

    /// <summary>
    /// An alternative that begins with an unbounded greedy run and has failed would run to the same end from any start inside that run, and try
    /// again a part of the same positions. Skipping those starts keeps patterns such as <c>\s+$</c> linear on long runs.
    /// </summary>
    private readonly void MarkHopeless(int alternative, int start)
    {
        PatternInstruction first = code[entries[alternative]];
        if (first.Op != PatternOp.TakeMany || first.Max != int.MaxValue || first.Mode != RepeatMode.Greedy || first.Min > 1)
            return;
        int end = start;
        while (end < text.Length && first.Set!.Contains(CodePoints.At(text, end)))
            end += CodePoints.LengthAt(text, end);
        hopelessBefore[alternative] = end;
    }

    /// <summary>Where the program at <paramref name="pc"/> ends when started at <paramref name="position"/>, or <see cref="NoMatch"/>.</summary>
    private int Run(int pc, int position)
    {
        int floor = stack.Count;
        while (true)
        {
            if (--budget < 0)
                throw new TokenizerException("regular expression: expected a pattern that decides in reasonable time, found one that does not");
            PatternInstruction instruction = code[pc];
            bool goesOn = true;
            switch (instruction.Op)
            {
                case PatternOp.Take:
                    goesOn = position < text.Length && instruction.Set!.Contains(CodePoints.At(text, position));
                    if (goesOn)
                        position += CodePoints.LengthAt(text, position);
                    pc++;
                    break;
                case PatternOp.TakeMany:
                    goesOn = TakeMany(instruction, pc, ref position);
                    pc++;
                    break;
                case PatternOp.Fork:
                    stack.Add(new Frame(FrameKind.Resume, instruction.Other, position, 0));
                    pc = instruction.Target;
                    break;
                case PatternOp.Jump:
                    pc = instruction.Target;
                    break;
                case PatternOp.Test:
                    goesOn = Holds(instruction.Test, position);
                    pc++;
                    break;
                case PatternOp.Look:
                    goesOn = Look(instruction, pc, position);
                    pc = instruction.Target;
                    break;
                case PatternOp.Atomic:
                    int end = Run(pc + 1, position);
                    goesOn = end != NoMatch;
                    position = goesOn ? end : position;
                    pc = instruction.Target;
                    break;
                case PatternOp.EnterRound:
                    stack.Add(new Frame(FrameKind.RestoreRound, instruction.Other, roundStarts[instruction.Other], 0));
                    roundStarts[instruction.Other] = position;
                    pc++;
                    break;
                case PatternOp.NextRound:
                    pc = position == roundStarts[instruction.Other] ? pc + 1 : instruction.Target;
                    break;
                case PatternOp.Accept:
                    Unwind(floor);
                    return position;
            }
            if (!goesOn && !Backtrack(floor, out pc, out position))
                return NoMatch;
        }
    }

    private bool TakeMany(PatternInstruction instruction, int pc, ref int position)
    {
        int taken = 0;
        int atLeast = instruction.Mode == RepeatMode.Lazy ? instruction.Min : instruction.Max;
        int lowest = position;
        while (taken < atLeast && position < text.Length && instruction.Set!.Contains(CodePoints.At(text, position)))
        {
            position += CodePoints.LengthAt(text, position);
            if (++taken == instruction.Min)
                lowest = position;
        }
        budget -= taken;
        if (taken < instruction.Min)
            return false;
        if (instruction.Mode == RepeatMode.Greedy && position > lowest)
            stack.Add(new Frame(FrameKind.GiveBack, pc + 1, position, lowest));
        else if (instruction.Mode == RepeatMode.Lazy && taken < instruction.Max)
            stack.Add(new Frame(FrameKind.TakeMore, pc, position, instruction.Max - taken));
        return true;
    }

    /// <summary>Takes up the latest open choice above <paramref name="floor"/>.</summary>
    private bool Backtrack(int floor, out int pc, out int position)
    {
        while (stack.Count > floor)
        {
            if (--budget < 0)
                break;
            Frame frame = stack[^1];
            stack.RemoveAt(stack.Count - 1);
            (pc, position) = (frame.Pc, frame.Position);
            switch (frame.Kind)
            {
                case FrameKind.Resume:
                    return true;
                case FrameKind.RestoreRound:
                    roundStarts[frame.Pc] = frame.Position;
                    break;
                case FrameKind.GiveBack:
                    position -= CodePoints.LengthBefore(text, position);
                    if (position > frame.Limit)
                        stack.Add(frame with { Position = position });
                    return true;
                default:
                    if (position >= text.Length || !code[pc].Set!.Contains(CodePoints.At(text, position)))
                        break;
                    position += CodePoints.LengthAt(text, position);
                    if (frame.Limit > 1)
                        stack.Add(frame with { Position = position, Limit = frame.Limit - 1 });
                    pc++;
                    return true;
            }
        }
        (pc, position) = (0, 0);
        return false;
    }

    /// <summary>Drops the choices a finished program left open, undoing only their bookkeeping.</summary>
    private readonly void Unwind(int floor)
    {
        for (int i = stack.Count - 1; i >= floor; i--)
        {
            if (stack[i].Kind == FrameKind.RestoreRound)
                roundStarts[stack[i].Pc] = stack[i].Position;
        }
        stack.RemoveRange(floor, stack.Count - floor);
    }

    private bool Look(PatternInstruction instruction, int pc, int position)
    {
        for (int back = instruction.Min; back > 0; back--)
        {
            if (position == 0)
                return instruction.Negative;
            position -= CodePoints.LengthBefore(text, position);
        }
        return Run(pc + 1, position) != NoMatch != instruction.Negative;
    }

    private readonly bool Holds(PositionTest test, int position) => test switch
    {
        PositionTest.TextStart => position == 0,
        PositionTest.TextEnd => position == text.Length,
        PositionTest.TextEndOrFinalNewline => position == text.Length || (position == text.Length - 1 && text[position] == '\n'),
        PositionTest.LineStart => position == 0 || (text[position - 1] == '\n' && position < text.Length),
        PositionTest.LineEnd => position == text.Length || text[position] == '\n',
        PositionTest.WordBoundary => WordBefore(position) != WordAfter(position),
        _ => WordBefore(position) == WordAfter(position),
    };

    private readonly bool WordBefore(int position) =>
        position > 0 && CodePoints.IsWord(CodePoints.At(text, position - CodePoints.LengthBefore(text, position)));

    private readonly bool WordAfter(int position) => position < text.Length && CodePoints.IsWord(CodePoints.At(text, position));

    private enum FrameKind
    {
        Resume,
        RestoreRound,
        GiveBack,
        TakeMore,
    }

    private readonly record struct Frame(FrameKind Kind, int Pc, int Position, int Limit);
}
