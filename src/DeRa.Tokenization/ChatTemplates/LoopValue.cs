namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The <c>loop</c> variable: it reads its items lazily, one ahead where it must know whether more follow.</summary>
internal sealed class LoopValue(IEnumerable<Value> items, int? length, int depth, Func<RenderContext, Value, Value>? recurse) : CallableValue
{
    private readonly IEnumerator<Value> _items = items.GetEnumerator();
    private readonly Queue<Value> _ahead = new();
    private Value? _previous;
    private Value? _current;
    private Value? _lastChecked;
    private int? _length = length;

    public override string TypeName => "LoopContext";

    public int Index { get; private set; } = -1;

    public Value Current => _current!;

    public bool MoveNext(RenderContext context)
    {
        if (Peek() is not Value next)
            return false;
        context.Step();
        _ahead.Dequeue();
        _previous = _current;
        _current = next;
        Index++;
        return true;
    }

    /// <summary>The number of items; a filtered or lazy sequence is read to its end to know.</summary>
    public int Length(RenderContext context)
    {
        if (_length is int known)
            return known;
        while (_items.MoveNext())
        {
            context.AllocateList(1);
            _ahead.Enqueue(_items.Current);
        }
        _length = Index + 1 + _ahead.Count;
        return _length.Value;
    }

    public IEnumerable<Value> Remaining(RenderContext context)
    {
        while (MoveNext(context))
            yield return new TupleValue([Current, this]);
    }

    public Value? Attribute(RenderContext context, string name) => name switch
    {
        "index" => new IntValue(Index + 1),
        "index0" => new IntValue(Index),
        "revindex" => new IntValue(Length(context) - Index),
        "revindex0" => new IntValue(Length(context) - Index - 1),
        "first" => BoolValue.Of(Index == 0),
        "last" => BoolValue.Of(Peek() is null),
        "length" => new IntValue(Length(context)),
        "depth" => new IntValue(depth + 1),
        "depth0" => new IntValue(depth),
        "previtem" => _previous ?? new UndefinedValue("there is no previous item"),
        "nextitem" => Peek() ?? new UndefinedValue("there is no next item"),
        "cycle" => new FunctionValue("cycle", Cycle, "method"),
        "changed" => new FunctionValue("changed", Changed, "method"),
        _ => null,
    };

    public override Value Call(RenderContext context, Arguments arguments)
    {
        if (recurse is null)
            throw context.Error("The loop must have the 'recursive' marker to be called recursively.");
        return recurse(context, arguments.Bind(context, "loop", 1, "iterable")[0]!);
    }

    private Value? Peek()
    {
        if (_ahead.Count == 0 && _items.MoveNext())
            _ahead.Enqueue(_items.Current);
        return _ahead.TryPeek(out Value? next) ? next : null;
    }

    private Value Cycle(RenderContext context, Arguments arguments)
    {
        if (arguments.Positional.Count == 0)
            throw context.Error("no items for cycling given");
        return arguments.Positional[Index % arguments.Positional.Count];
    }

    private BoolValue Changed(RenderContext context, Arguments arguments)
    {
        var values = new TupleValue(arguments.Positional);
        if (_lastChecked is not null && PythonOperators.Equals(context, _lastChecked, values))
            return BoolValue.False;
        _lastChecked = values;
        return BoolValue.True;
    }
}
