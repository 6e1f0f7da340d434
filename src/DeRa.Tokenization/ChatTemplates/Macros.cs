namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Parameters and body of a macro or call block.</summary>
/// <param name="Name">The name to call it by.</param>
/// <param name="Parameters">Each name with its default, if it has one.</param>
/// <param name="Body">What a call runs.</param>
/// <param name="UsedNames">The names the body mentions: only one that mentions <c>varargs</c>, <c>kwargs</c> or <c>caller</c> takes such arguments.</param>
internal sealed record MacroDefinition(
    string Name, IReadOnlyList<KeyValuePair<string, Expression?>> Parameters, Body Body, IReadOnlySet<string> UsedNames)
{
    private static readonly string[] Implicit = ["caller", "kwargs", "varargs"];

    public IReadOnlyList<string> Hidden { get; private set; } = [];

    public void Analyze(FrameSymbols outer) => Hidden = FrameSymbols.Analyze(outer, inner =>
    {
        foreach ((string parameter, _) in Parameters)
            inner.Parameter(parameter);
        foreach (string name in Implicit.Where(UsedNames.Contains))
            inner.Parameter(name);
        foreach ((_, Expression? value) in Parameters)
            value?.Declare(inner);
        Body.Declare(inner);
    });
}

/// <summary>A macro together with the scope it was defined in.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope scope) : CallableValue
{
    public string Name => definition.Name;

    public override string TypeName => "Macro";

    public override Value Call(RenderContext context, Arguments arguments)
    {
        var inner = new Scope(scope);
        BindParameters(context, inner, arguments);
        inner.Declare(definition.Hidden);
        return new StringValue(definition.Body.Capture(context, inner, out _));
    }

    public Value? Attribute(string name) => name switch
    {
        "name" => new StringValue(definition.Name),
        "arguments" => new TupleValue([.. definition.Parameters.Select(parameter => new StringValue(parameter.Key))]),
        "catch_kwargs" => BoolValue.Of(definition.UsedNames.Contains("kwargs")),
        "catch_varargs" => BoolValue.Of(definition.UsedNames.Contains("varargs")),
        "caller" => BoolValue.Of(definition.UsedNames.Contains("caller")),
        _ => null,
    };

    private void BindParameters(RenderContext context, Scope inner, Arguments arguments)
    {
        IReadOnlyList<KeyValuePair<string, Expression?>> parameters = definition.Parameters;
        if (arguments.Positional.Count > parameters.Count && !definition.UsedNames.Contains("varargs"))
            throw context.Error($"macro '{Name}' takes not more than {parameters.Count} argument(s)");
        var named = new OrderedDictionary<string, Value>(StringComparer.Ordinal);
        foreach ((string name, Value value) in arguments.Named)
            named[name] = value;
        var missing = new List<KeyValuePair<string, Expression?>>();
        for (int i = 0; i < parameters.Count; i++)
        {
            string name = parameters[i].Key;
            if (i < arguments.Positional.Count)
                inner.Set(name, arguments.Positional[i]);
            else if (named.Remove(name, out Value? value))
                inner.Set(name, value);
            else
                missing.Add(parameters[i]);
        }
        BindImplicit(context, inner, named, [.. arguments.Positional.Skip(parameters.Count)]);
        foreach ((string name, Expression? fallback) in missing)
            inner.Set(name, fallback?.Evaluate(context, inner) ?? new UndefinedValue($"parameter '{name}' was not provided"));
    }

    private void BindImplicit(RenderContext context, Scope inner, OrderedDictionary<string, Value> named, IReadOnlyList<Value> rest)
    {
        if (definition.UsedNames.Contains("caller") && definition.Parameters.All(parameter => parameter.Key != "caller"))
            inner.Set("caller", named.Remove("caller", out Value? caller) ? caller : new UndefinedValue("No caller defined"));
        if (definition.UsedNames.Contains("kwargs"))
        {
            var items = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
            foreach ((string name, Value value) in named)
                items[new StringValue(name)] = value;
            inner.Set("kwargs", new DictValue(items));
        }
        else if (named.Count > 0)
        {
            throw context.Error($"macro '{Name}' takes no keyword argument '{named.GetAt(0).Key}'");
        }
        if (definition.UsedNames.Contains("varargs"))
            inner.Set("varargs", new TupleValue(rest));
    }
}

/// <summary><c>{% macro name(parameters) %} … {% endmacro %}</c>.</summary>
internal sealed class MacroStatement(int line, MacroDefinition definition) : Statement(line)
{
    public override string Construct => "{% macro %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        frame.Store(definition.Name);
        frame.Inner(definition.Analyze);
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        scope.Set(definition.Name, new MacroValue(definition, scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call(parameters) macro(arguments) %} … {% endcall %}</c>: the body becomes the macro's <c>caller</c>.</summary>
internal sealed class CallBlockStatement(int line, CallExpression call, MacroDefinition caller) : Statement(line)
{
    public override string Construct => "{% call %}";

    protected override void DeclareNames(FrameSymbols frame)
    {
        call.Declare(frame);
        frame.Inner(caller.Analyze);
    }

    protected override Flow ExecuteCore(RenderContext context, Scope scope)
    {
        Value result = call.Call(context, scope, new MacroValue(caller, scope));
        context.Write(PythonText.Str(context, result));
        return Flow.Next;
    }
}
