namespace DeRa.Tokenization.ChatTemplates;

/// <summary>
/// Decides, before anything runs, which names a frame owns. As in Jinja's compiler, a frame that sets a name before reading it (outside
/// of branches) and finds it in no enclosing frame owns it from its start: inner frames then see it as undefined until it is set,
/// even where a template variable of that name exists.
/// </summary>
internal sealed class FrameSymbols(FrameSymbols? parent)
{
    private readonly FrameSymbols? _parent = parent;
    private readonly List<string> _undefinedAtEntry = [];
    private readonly List<Action<FrameSymbols>> _innerFrames = [];
    private HashSet<string> _known = new(StringComparer.Ordinal);
    private bool _inBranch;
    private bool _mayFailLater;

    /// <summary>Analyses a frame and the frames inside it; returns the names it hides at entry.</summary>
    public static IReadOnlyList<string> Analyze(FrameSymbols? parent, Action<FrameSymbols> declare)
    {
        var frame = new FrameSymbols(parent);
        declare(frame);
        foreach (Action<FrameSymbols> inner in frame._innerFrames)
            inner(frame);
        return frame._undefinedAtEntry;
    }

    /// <summary>Analyses an inner frame once all names of this one are known.</summary>
    public void Inner(Action<FrameSymbols> analyze) => _innerFrames.Add(analyze);

    public void Parameter(string name) => _known.Add(name);

    public void Load(string name)
    {
        if (!IsKnown(name))
            _known.Add(name);
    }

    public void Store(string name)
    {
        if (_known.Add(name) && !_inBranch && !(_parent?.IsKnown(name) ?? false))
            _undefinedAtEntry.Add(name);
    }

    /// <summary>
    /// Declares code that may never run: an unknown filter or test in it is an error only once it does run. Elsewhere it is one at once.
    /// </summary>
    public void Conditionally(Action declare)
    {
        bool outer = _mayFailLater;
        _mayFailLater = true;
        declare();
        _mayFailLater = outer;
    }

    /// <summary>Refuses a filter or test that does not exist.</summary>
    public void Require(bool exists, Node node)
    {
        if (!exists && !_mayFailLater)
            throw new ChatTemplateException(node.Line, node.Construct, "no such filter or test");
    }

    /// <summary>Declares alternatives, of which at most one runs: what they set may also come from outside.</summary>
    public void Branches(params ReadOnlySpan<Action> branches)
    {
        HashSet<string> before = _known;
        bool outerBranch = _inBranch;
        var union = new HashSet<string>(before, StringComparer.Ordinal);
        _inBranch = true;
        foreach (Action branch in branches)
        {
            _known = new HashSet<string>(before, StringComparer.Ordinal);
            branch();
            union.UnionWith(_known);
        }
        _known = union;
        _inBranch = outerBranch;
    }

    private bool IsKnown(string name)
    {
        for (FrameSymbols? frame = this; frame is not null; frame = frame._parent)
        {
            if (frame._known.Contains(name))
                return true;
        }
        return false;
    }
}
