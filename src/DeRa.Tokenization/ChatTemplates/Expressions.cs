using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

internal sealed class ConstantExpression(int line, Value value) : Expression(line)
{
    public Value Value { get; } = value;

    public override string Construct => "constant";

    protected override Value EvaluateCore(RenderContext context, Scope scope) => Value;
}

internal sealed class NameExpression(int line, string name) : Expression(line)
{
    public string Name { get; } = name;

    public override string Construct => $"variable '{Name}'";

    protected override void DeclareNames(FrameSymbols frame) => frame.Load(Name);

    protected override Value EvaluateCore(RenderContext context, Scope scope) => scope.Get(Name);
}

/// <summary>A list or tuple display.</summary>
internal sealed class SequenceExpression(int line, IReadOnlyList<Expression> items, bool isList) : Expression(line)
{
    public IReadOnlyList<Expression> Items { get; } = items;

    public override string Construct => isList ? "list" : "tuple";

    protected override void DeclareNames(FrameSymbols frame)
    {
        foreach (Expression item in Items)
            item.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        context.AllocateList(Items.Count);
        var values = new Value[Items.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = Items[i].Evaluate(context, scope);
        return isList ? new ListValue(values) : new TupleValue(values);
    }
}

internal sealed class DictExpression(int line, IReadOnlyList<KeyValuePair<Expression, Expression>> items) : Expression(line)
{
    public override string Construct => "dict";

    protected override void DeclareNames(FrameSymbols frame)
    {
        foreach ((Expression key, Expression value) in items)
        {
            key.Declare(frame);
            value.Declare(frame);
        }
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        context.AllocateList(items.Count);
        var values = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
        foreach ((Expression key, Expression value) in items)
        {
            Value evaluated = key.Evaluate(context, scope);
            context.At(this);
            values[PythonOperators.Hashable(context, evaluated)] = value.Evaluate(context, scope);
        }
        return new DictValue(values);
    }
}

internal sealed class UnaryExpression(int line, string op, Expression operand) : Expression(line)
{
    public override string Construct => $"operator '{op}'";

    protected override void DeclareNames(FrameSymbols frame) => operand.Declare(frame);

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value value = operand.Evaluate(context, scope);
        context.At(this);
        return op == "not" ? BoolValue.Of(!PythonOperators.IsTrue(context, value)) : Arithmetic.Negate(context, op, value);
    }
}

internal sealed class BinaryExpression(int line, string op, Expression left, Expression right) : Expression(line)
{
    public override string Construct => $"operator '{op}'";

    protected override void DeclareNames(FrameSymbols frame)
    {
        left.Declare(frame);
        right.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value leftValue = left.Evaluate(context, scope);
        Value rightValue = right.Evaluate(context, scope);
        context.At(this);
        return Arithmetic.Apply(context, op, leftValue, rightValue);
    }
}

/// <summary><c>and</c> or <c>or</c>: the value of the operand that decides.</summary>
internal sealed class LogicalExpression(int line, bool isAnd, IReadOnlyList<Expression> operands) : Expression(line)
{
    public override string Construct => isAnd ? "operator 'and'" : "operator 'or'";

    protected override void DeclareNames(FrameSymbols frame)
    {
        foreach (Expression operand in operands)
            operand.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value value = operands[0].Evaluate(context, scope);
        for (int i = 1; i < operands.Count; i++)
        {
            context.At(this);
            if (PythonOperators.IsTrue(context, value) != isAnd)
                return value;
            value = operands[i].Evaluate(context, scope);
        }
        return value;
    }
}

/// <summary>A chain of comparisons, each against the operand before it.</summary>
internal sealed class CompareExpression(int line, Expression first, IReadOnlyList<KeyValuePair<string, Expression>> rest) : Expression(line)
{
    public override string Construct => $"operator '{rest[0].Key}'";

    protected override void DeclareNames(FrameSymbols frame)
    {
        first.Declare(frame);
        foreach ((_, Expression operand) in rest)
            operand.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value left = first.Evaluate(context, scope);
        foreach ((string op, Expression operand) in rest)
        {
            Value right = operand.Evaluate(context, scope);
            context.At(this);
            if (!Holds(context, op, left, right))
                return BoolValue.False;
            left = right;
        }
        return BoolValue.True;
    }

    private static bool Holds(RenderContext context, string op, Value left, Value right) => op switch
    {
        "==" => PythonOperators.Equals(context, left, right),
        "!=" => !PythonOperators.Equals(context, left, right),
        "in" => PythonOperators.Contains(context, right, left),
        "not in" => !PythonOperators.Contains(context, right, left),
        _ => PythonOperators.Order(context, op, left, right),
    };
}

/// <summary><c>a ~ b ~ c</c>: the operands' texts joined.</summary>
internal sealed class ConcatenateExpression(int line, IReadOnlyList<Expression> operands) : Expression(line)
{
    public override string Construct => "operator '~'";

    protected override void DeclareNames(FrameSymbols frame)
    {
        foreach (Expression operand in operands)
            operand.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        var text = new StringBuilder();
        foreach (Expression operand in operands)
        {
            Value value = operand.Evaluate(context, scope);
            context.At(this);
            string part = PythonText.Str(context, value);
            context.AllocateString((long)text.Length + part.Length);
            text.Append(part);
        }
        return new StringValue(text.ToString());
    }
}

/// <summary><c>a if test else b</c>; without <c>else</c> it is undefined where the test fails.</summary>
internal sealed class ConditionalExpression(int line, Expression test, Expression then, Expression? otherwise) : Expression(line)
{
    public override string Construct => "inline if";

    protected override void DeclareNames(FrameSymbols frame)
    {
        frame.Conditionally(() =>
        {
            test.Declare(frame);
            then.Declare(frame);
            otherwise?.Declare(frame);
        });
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value condition = test.Evaluate(context, scope);
        context.At(this);
        if (PythonOperators.IsTrue(context, condition))
            return then.Evaluate(context, scope);
        return otherwise?.Evaluate(context, scope)
            ?? new UndefinedValue($"the inline if-expression on line {Line} evaluated to false and no else section was defined.");
    }
}

/// <summary><c>value.name</c>.</summary>
internal sealed class AttributeExpression(int line, Expression target, string name) : Expression(line)
{
    public Expression Target => target;

    public string Name => name;

    public override string Construct => $"attribute '{name}'";

    protected override void DeclareNames(FrameSymbols frame) => target.Declare(frame);

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value value = target.Evaluate(context, scope);
        context.At(this);
        return Attributes.GetAttribute(context, value, name);
    }
}

/// <summary><c>value[key]</c>.</summary>
internal sealed class ItemExpression(int line, Expression target, Expression key) : Expression(line)
{
    public override string Construct => "subscript";

    protected override void DeclareNames(FrameSymbols frame)
    {
        target.Declare(frame);
        key.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value value = target.Evaluate(context, scope);
        Value index = key.Evaluate(context, scope);
        context.At(this);
        return Attributes.GetItem(context, value, index);
    }
}

/// <summary><c>value[start:stop:step]</c>.</summary>
internal sealed class SliceExpression(int line, Expression target, Expression? start, Expression? stop, Expression? step) : Expression(line)
{
    public override string Construct => "slice";

    protected override void DeclareNames(FrameSymbols frame)
    {
        target.Declare(frame);
        start?.Declare(frame);
        stop?.Declare(frame);
        step?.Declare(frame);
    }

    protected override Value EvaluateCore(RenderContext context, Scope scope)
    {
        Value value = target.Evaluate(context, scope);
        Value from = start?.Evaluate(context, scope) ?? NoneValue.Instance;
        Value to = stop?.Evaluate(context, scope) ?? NoneValue.Instance;
        Value by = step?.Evaluate(context, scope) ?? NoneValue.Instance;
        context.At(this);
        return PythonSequences.Slice(context, value, from, to, by);
    }
}
