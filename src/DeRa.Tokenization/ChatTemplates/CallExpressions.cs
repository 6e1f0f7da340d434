namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The arguments as written: positional, named, <c>*list</c> and <c>**dict</c>.</summary>
internal sealed class ArgumentList(
    IReadOnlyList<Expression> positional,
    IReadOnlyList<KeyValuePair<string, Expression>> named,
    Expression? star,
    Expression? doubleStar)
{
    public static readonly ArgumentList None = new([], [], null, null);

    public void Declare(FrameSymbols frame)
    {
        foreach (Expression argument in positional)
            argument.Declare(frame);
        foreach ((_, Expression argument) in named)
            argument.Declare(frame);
        star?.Declare(frame);
        doubleStar?.Declare(frame);
    }

    public Arguments Evaluate(RenderContext context, Scope scope)
    {
        if (positional.Count == 0 && named.Count == 0 && star is null && doubleStar is null)
            return Arguments.None;
        List<Value> values = [.. positional.Select(argument => argument.Evaluate(context, scope))];
        if (star is not null)
            values.AddRange(PythonSequences.ToList(context, star.Evaluate(context, scope)));
        List<KeyValuePair<string, Value>> pairs =
            [.. named.Select(argument => KeyValuePair.Create(argument.Key, argument.Value.Evaluate(context, scope)))];
        if (doubleStar is not null)
            AddPairs(context, pairs, doubleStar.Evaluate(context, scope));
        return new Arguments(values, pairs);
    }

    private static void AddPairs(RenderContext context, List<KeyValuePair<string, Value>> pairs, Value value)
    {
        if (value is not DictValue dict)
            throw context.Error($"argument after ** must be a mapping, not {value.TypeName}");
        foreach ((Value key, Value item) in dict.Items)
        {
            context.Step();
            if (key is not StringValue name)
                throw context.Error("keywords must be strings");
            pairs.Add(KeyValuePair.Create(name.Text, item));
        }
    }
}

internal sealed class CallExpression(int line, Expression target, ArgumentList arguments) : Expression(line)
{
    public override string Construct => target switch
    {
        NameExpression name => $"call of '{name.Name}'",
        AttributeExpression attribute => $"call of '{attribute.Name}'",
        _ => "call",
    };

    protected override void DeclareNames(FrameSymbols frame)
    {
        target.Declare(frame);
        arguments.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope) => Call(context, scope, null);

    /// <summary>Calls the target, with a <c>caller</c> argument where a call block supplies one.</summary>
    public Value Call(RenderContext context, Scope scope, Value? caller)
    {
        Value function = target.Evaluate(context, scope);
        Arguments evaluated = arguments.Evaluate(context, scope);
        if (caller is not null)
            evaluated = new Arguments(evaluated.Positional, [.. evaluated.Named, KeyValuePair.Create("caller", caller)]);
        context.At(this);
        return Invoke(context, function, evaluated);
    }

    public static Value Invoke(RenderContext context, Value function, Arguments arguments)
    {
        switch (function)
        {
            case UndefinedValue undefined:
                throw context.Undefined(undefined);
            case CallableValue callable:
                context.EnterCall();
                Value result = callable.Call(context, arguments);
                context.LeaveCall();
                return result;
            default:
                throw context.Error($"'{function.TypeName}' object is not callable");
        }
    }
}

/// <summary><c>value | name(arguments)</c>; without a value it is the filter of a filter block.</summary>
internal sealed class FilterExpression(int line, Expression? target, string name, ArgumentList arguments) : Expression(line)
{
    public override string Construct => $"filter '{name}'";

    protected override void DeclareNames(FrameSymbols frame)
    {
        target?.Declare(frame);
        frame.Require(Filters.Exists(name), this);
        arguments.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope) => Apply(context, scope, null);

    /// <summary>Applies the chain of filters, starting from the given value where the chain has none of its own.</summary>
    public Value Apply(RenderContext context, Scope scope, Value? input)
    {
        context.EnsureStack();
        Value value = target switch
        {
            null => input!,
            FilterExpression inner => inner.Apply(context, scope, input),
            _ => target.Evaluate(context, scope),
        };
        context.Visit(this);
        Arguments evaluated = arguments.Evaluate(context, scope);
        context.At(this);
        return Filters.Apply(context, name, value, evaluated);
    }
}

/// <summary><c>value is name(arguments)</c>.</summary>
internal sealed class TestExpression(int line, Expression target, string name, ArgumentList arguments, bool negated) : Expression(line)
{
    public override string Construct => $"test '{name}'";

    protected override void DeclareNames(FrameSymbols frame)
    {
        target.Declare(frame);
        frame.Require(BuiltInTests.Exists(name), this);
        arguments.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value value = target.Evaluate(context, scope);
        Arguments evaluated = arguments.Evaluate(context, scope);
        context.At(this);
        return BoolValue.Of(BuiltInTests.Apply(context, name, value, evaluated) != negated);
    }
}
