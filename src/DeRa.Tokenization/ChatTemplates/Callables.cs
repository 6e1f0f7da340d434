namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Something a template can call.</summary>
internal abstract class CallableValue : Value
{
    public abstract Value Call(RenderContext context, Arguments arguments);
}

internal sealed class FunctionValue(string name, Func<RenderContext, Arguments, Value> body, string typeName = "function") : CallableValue
{
    public string Name { get; } = name;

    public override string TypeName => typeName;

    public override Value Call(RenderContext context, Arguments arguments) => body(context, arguments);
}

/// <summary>The arguments of one call, positional first.</summary>
internal sealed class Arguments(IReadOnlyList<Value> positional, IReadOnlyList<KeyValuePair<string, Value>> named)
{
    public static readonly Arguments None = new([], []);

    public IReadOnlyList<Value> Positional { get; } = positional;

    public IReadOnlyList<KeyValuePair<string, Value>> Named { get; } = named;

    public static Arguments Of(params Value[] positional) => new(positional, []);

    /// <summary>Assigns the arguments to parameter names as Python does; a parameter left out is null.</summary>
    public Value?[] Bind(RenderContext context, string function, int required, params ReadOnlySpan<string> parameters)
    {
        if (Positional.Count > parameters.Length)
            throw context.Error($"{function}() takes at most {parameters.Length} arguments, got {Positional.Count}");
        var bound = new Value?[parameters.Length];
        for (int i = 0; i < Positional.Count; i++)
            bound[i] = Positional[i];
        foreach ((string name, Value value) in Named)
        {
            int index = parameters.IndexOf(name);
            if (index < 0)
                throw context.Error($"{function}() got an unexpected keyword argument '{name}'");
            if (bound[index] is not null)
                throw context.Error($"{function}() got multiple values for argument '{name}'");
            bound[index] = value;
        }
        for (int i = 0; i < required; i++)
        {
            if (bound[i] is null)
                throw context.Error($"{function}() missing required argument '{parameters[i]}'");
        }
        return bound;
    }

    /// <summary>Refuses every argument.</summary>
    public void BindNothing(RenderContext context, string function) => Bind(context, function, 0);

    /// <summary>The arguments after the first <paramref name="count"/> positional ones.</summary>
    public Arguments Skip(int count) => new([.. Positional.Skip(count)], Named);
}
