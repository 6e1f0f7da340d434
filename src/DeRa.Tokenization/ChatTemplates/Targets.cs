namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The left side of an assignment or the variables of a loop.</summary>
internal abstract class Target
{
    public abstract void Assign(RenderContext context, Scope scope, Value value);

    public abstract void Declare(FrameSymbols frame, bool isParameter);
}

internal sealed class NameTarget(string name) : Target
{
    public string Name { get; } = name;

    public override void Assign(RenderContext context, Scope scope, Value value) => scope.Set(Name, value);

    public override void Declare(FrameSymbols frame, bool isParameter)
    {
        if (isParameter)
            frame.Parameter(Name);
        else
            frame.Store(Name);
    }
}

/// <summary><c>namespace.attribute</c>.</summary>
internal sealed class NamespaceTarget(string name, string attribute) : Target
{
    public override void Assign(RenderContext context, Scope scope, Value value)
    {
        if (scope.Get(name) is not NamespaceValue target)
            throw context.Error("cannot assign attribute on non-namespace object");
        target.Attributes[attribute] = value;
        context.AllocateList(1);
    }

    public override void Declare(FrameSymbols frame, bool isParameter) => frame.Load(name);
}

internal sealed class TupleTarget(IReadOnlyList<Target> targets) : Target
{
    public override void Assign(RenderContext context, Scope scope, Value value)
    {
        if (PythonSequences.TryIterate(context, value) is not IEnumerable<Value> items)
            throw context.Error($"cannot unpack non-iterable {value.TypeName} object");
        List<Value> values = [.. items.Take(targets.Count + 1)];
        if (values.Count > targets.Count)
            throw context.Error($"too many values to unpack (expected {targets.Count})");
        if (values.Count < targets.Count)
            throw context.Error($"not enough values to unpack (expected {targets.Count}, got {values.Count})");
        for (int i = 0; i < values.Count; i++)
            targets[i].Assign(context, scope, values[i]);
    }

    public override void Declare(FrameSymbols frame, bool isParameter)
    {
        foreach (Target target in targets)
            target.Declare(frame, isParameter);
    }
}
