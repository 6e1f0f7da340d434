namespace DeRa.Tokenization.ChatTemplates;

/// <summary><c>{% for target in sequence if test recursive %} … {% else %} … {% endfor %}</c>.</summary>
internal sealed class ForStatement(
    int line, Target target, Expression sequence, Expression? test, bool isRecursive, Body body, Body otherwise) : Statement(line)
{
    private IReadOnlyList<string> _hidden = [];
    private IReadOnlyList<string> _hiddenInElse = [];

    public override string Construct => "{% for %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        sequence.Declare(frame);
        frame.Inner(outer =>
        {
            _hidden = FrameSymbols.Analyze(outer, inner =>
            {
                target.Declare(inner, isParameter: true);
                inner.Parameter("loop");
                body.Declare(inner);
            });
            _hiddenInElse = FrameSymbols.Analyze(outer, otherwise.Declare);
        });
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        Value items = sequence.Evaluate(context, scope);
        context.At(this);
        Run(context, scope, items, depth: 0);
        return Flow.Next;
    }

    private void Run(RenderContext context, Scope scope, Value items, int depth)
    {
        IEnumerable<Value> values = PythonSequences.Iterate(context, items);
        if (test is not null)
            values = Select(context, scope, values);
        int? length = test is null ? PythonSequences.TryLength(context, items) : null;
        var loop = new LoopValue(values, length, depth, Recurse(scope, depth));
        // Jinja runs the else part unless some pass reached its end: one that break or continue cuts short does not count.
        bool completed = false;
        while (loop.MoveNext(context))
        {
            var inner = new Scope(scope);
            context.At(this);
            inner.Set("loop", loop);
            target.Assign(context, inner, loop.Current);
            inner.Declare(_hidden);
            Flow flow = body.Execute(context, inner);
            if (flow == Flow.Break)
                break;
            completed |= flow == Flow.Next;
        }
        if (completed)
            return;
        var elseScope = new Scope(scope);
        elseScope.Declare(_hiddenInElse);
        otherwise.Execute(context, elseScope);
    }

    private IEnumerable<Value> Select(RenderContext context, Scope scope, IEnumerable<Value> values)
    {
        foreach (Value value in values)
        {
            var inner = new Scope(scope);
            context.At(this);
            target.Assign(context, inner, value);
            if (PythonOperators.IsTrue(context, test!.Evaluate(context, inner)))
                yield return value;
        }
    }

    /// <summary>What <c>loop(children)</c> does in a recursive loop.</summary>
    private Func<RenderContext, Value, Value>? Recurse(Scope scope, int depth)
    {
        if (!isRecursive)
            return null;
        return (context, children) =>
        {
            context.BeginCapture();
            Run(context, scope, children, depth + 1);
            return new StringValue(context.EndCapture());
        };
    }
}
