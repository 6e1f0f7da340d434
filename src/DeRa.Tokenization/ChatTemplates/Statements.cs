namespace DeRa.Tokenization.ChatTemplates;

internal sealed class TextStatement(int line, string text) : Statement(line)
{
    public override string Construct => "text";

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        context.Write(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ expression }}</c>.</summary>
internal sealed class OutputStatement(int line, Expression expression) : Statement(line)
{
    public override string Construct => "output";

    protected override void DeclareNames(FrameSymbols frame) => expression.Declare(frame);

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        context.Write(PythonText.Str(context, expression.Evaluate(context, scope)));
        return Flow.Next;
    }
}

/// <summary><c>{% if %} … {% elif %} … {% else %} … {% endif %}</c>.</summary>
internal sealed class IfStatement(int line, IReadOnlyList<KeyValuePair<Expression, Body>> branches, Body otherwise) : Statement(line)
{
    public override string Construct => "{% if %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        frame.Conditionally(() => branches[0].Key.Declare(frame));
        Action[] alternatives =
        [
            () => branches[0].Value.Declare(frame),
            .. branches.Skip(1).Select(branch => (Action)(() =>
            {
                branch.Key.Declare(frame);
                branch.Value.Declare(frame);
            })),
            () => otherwise.Declare(frame),
        ];
        frame.Conditionally(() => frame.Branches(alternatives));
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        foreach ((Expression test, Body body) in branches)
        {
            Value value = test.Evaluate(context, scope);
            context.At(this);
            if (PythonOperators.IsTrue(context, value))
                return body.Execute(context, scope);
        }
        return otherwise.Execute(context, scope);
    }
}

/// <summary><c>{% set target = expression %}</c>.</summary>
internal sealed class SetStatement(int line, Target target, Expression expression) : Statement(line)
{
    public override string Construct => "{% set %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        expression.Declare(frame);
        target.Declare(frame, isParameter: false);
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        Value value = expression.Evaluate(context, scope);
        context.At(this);
        target.Assign(context, scope, value);
        return Flow.Next;
    }
}

/// <summary><c>{% set target | filter %} … {% endset %}</c>.</summary>
internal sealed class SetBlockStatement(int line, Target target, FilterExpression? filter, Body body) : Statement(line)
{
    private IReadOnlyList<string> _hidden = [];

    public override string Construct => "{% set %} block";

    protected override void DeclareNames(FrameSymbols frame)
    {
        target.Declare(frame, isParameter: false);
        frame.Inner(outer => _hidden = FrameSymbols.Analyze(outer, inner =>
        {
            filter?.Declare(inner);
            body.Declare(inner);
        }));
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        inner.Declare(_hidden);
        string text = body.Capture(context, inner, out Flow flow);
        if (flow != Flow.Next)
            return flow;
        Value value = new StringValue(text);
        if (filter is not null)
            value = filter.Apply(context, inner, value);
        context.At(this);
        target.Assign(context, scope, value);
        return Flow.Next;
    }
}

/// <summary><c>{% filter name %} … {% endfilter %}</c>.</summary>
internal sealed class FilterBlockStatement(int line, FilterExpression filter, Body body) : Statement(line)
{
    private IReadOnlyList<string> _hidden = [];

    public override string Construct => "{% filter %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        filter.Declare(frame);
        frame.Inner(outer => _hidden = FrameSymbols.Analyze(outer, body.Declare));
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        inner.Declare(_hidden);
        string text = body.Capture(context, inner, out Flow flow);
        if (flow != Flow.Next)
            return flow;
        context.Write(PythonText.Str(context, filter.Apply(context, inner, new StringValue(text))));
        return Flow.Next;
    }
}

/// <summary><c>{% with a = 1 %} … {% endwith %}</c>; the values are computed outside of the new scope.</summary>
internal sealed class WithStatement(int line, IReadOnlyList<KeyValuePair<Target, Expression>> assignments, Body body) : Statement(line)
{
    private IReadOnlyList<string> _hidden = [];

    public override string Construct => "{% with %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        foreach ((_, Expression value) in assignments)
            value.Declare(frame);
        frame.Inner(outer => _hidden = FrameSymbols.Analyze(outer, inner =>
        {
            foreach ((Target target, _) in assignments)
                target.Declare(inner, isParameter: true);
            body.Declare(inner);
        }));
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        foreach ((Target target, Expression expression) in assignments)
        {
            Value value = expression.Evaluate(context, scope);
            context.At(this);
            target.Assign(context, inner, value);
        }
        inner.Declare(_hidden);
        return body.Execute(context, inner);
    }
}

/// <summary>A section with its own scope: <c>{% block %}</c> (which sees the outermost scope) or <c>{% generation %}</c>.</summary>
internal sealed class SectionStatement(int line, string name, Body body, bool seesOuterScope) : Statement(line)
{
    private IReadOnlyList<string> _hidden = [];

    public override string Construct => $"{{% {name} %}}";

    protected override void DeclareNames(FrameSymbols frame) =>
        frame.Inner(outer => _hidden = FrameSymbols.Analyze(seesOuterScope ? outer : null, body.Declare));

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        var inner = new Scope(seesOuterScope ? scope : context.Globals);
        inner.Declare(_hidden);
        body.Execute(context, inner);
        return Flow.Next;
    }
}

/// <summary><c>{% break %}</c> or <c>{% continue %}</c>.</summary>
internal sealed class JumpStatement(int line, Flow flow) : Statement(line)
{
    public override string Construct => flow == Flow.Break ? "{% break %}" : "{% continue %}";

    protected override Flow ExecuteCore(RenderContext context, Scope scope) => flow;
}

/// <summary>A statement that Jinja knows but a chat template cannot use, since there is nothing to load.</summary>
internal sealed class UnsupportedStatement(int line, string name) : Statement(line)
{
    public override string Construct => $"{{% {name} %}}";

    protected override Flow ExecuteCore(RenderContext context, Scope scope) =>
        throw context.Error("this statement is not supported in chat templates");
}
