namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Truth, equality, order and membership as Python defines them.</summary>
internal static class PythonOperators
{
    public static bool IsTrue(RenderContext context, Value value) => value switch
    {
        BoolValue boolean => boolean.Value,
        NoneValue => false,
        StringValue text => text.Text.Length > 0,
        IntValue number => !number.Value.IsZero,
        FloatValue number => number.Value != 0,
        SequenceValue sequence => sequence.Items.Count > 0,
        DictValue dict => dict.Items.Count > 0,
        DictViewValue view => view.Dict.Items.Count > 0,
        RangeValue range => range.Count > 0,
        UndefinedValue => false,
        LoopValue loop => loop.Length(context) > 0,
        _ => true,
    };

    public static bool Equals(RenderContext context, Value left, Value right)
    {
        context.Step();
        if (ReferenceEquals(left, right))
            return left is not FloatValue { Value: double.NaN };
        switch (left, right)
        {
            case (StringValue a, StringValue b):
                context.Work(Math.Min(a.Text.Length, b.Text.Length));
                return string.Equals(a.Text, b.Text, StringComparison.Ordinal);
            case (UndefinedValue, UndefinedValue):
                return true;
            case (ListValue a, ListValue b):
                return ItemsEqual(context, a.Items, b.Items);
            case (TupleValue a, TupleValue b):
                return ItemsEqual(context, a.Items, b.Items);
            case (DictValue a, DictValue b):
                return PairsEqual(context, a, b);
            case (RangeValue a, RangeValue b):
                return a.Count == b.Count && (a.Count == 0 || (a.Start == b.Start && (a.Count == 1 || a.Step == b.Step)));
            default:
                return PythonNumbers.TryCompare(left, right, out int order) && order == 0;
        }
    }

    private static bool ItemsEqual(RenderContext context, IReadOnlyList<Value> left, IReadOnlyList<Value> right)
    {
        if (left.Count != right.Count)
            return false;
        context.EnterCall();
        bool equal = true;
        for (int i = 0; i < left.Count && equal; i++)
            equal = Equals(context, left[i], right[i]);
        context.LeaveCall();
        return equal;
    }

    private static bool PairsEqual(RenderContext context, DictValue left, DictValue right)
    {
        if (left.Items.Count != right.Items.Count)
            return false;
        context.EnterCall();
        bool equal = left.Items.All(pair => right.Items.TryGetValue(pair.Key, out Value? other) && Equals(context, pair.Value, other));
        context.LeaveCall();
        return equal;
    }

    /// <summary>Evaluates <c>left op right</c> for one of <c>&lt; &lt;= &gt; &gt;=</c>.</summary>
    public static bool Order(RenderContext context, string op, Value left, Value right)
    {
        context.Step();
        if ((left as UndefinedValue ?? right as UndefinedValue) is UndefinedValue undefined)
            throw context.Undefined(undefined);
        int order;
        switch (left, right)
        {
            case (StringValue a, StringValue b):
                context.Work(Math.Min(a.Text.Length, b.Text.Length));
                order = CodePoints.Compare(a.Text, b.Text);
                break;
            case (ListValue a, ListValue b):
                return OrderItems(context, op, a.Items, b.Items);
            case (TupleValue a, TupleValue b):
                return OrderItems(context, op, a.Items, b.Items);
            default:
                if (PythonNumbers.TryCompare(left, right, out order))
                    break;
                if (PythonNumbers.IsNumber(left) && PythonNumbers.IsNumber(right))
                    return false;
                throw context.Error($"'{op}' not supported between instances of '{left.TypeName}' and '{right.TypeName}'");
        }
        return Holds(op, order);
    }

    private static bool OrderItems(RenderContext context, string op, IReadOnlyList<Value> left, IReadOnlyList<Value> right)
    {
        int common = Math.Min(left.Count, right.Count);
        for (int i = 0; i < common; i++)
        {
            if (Equals(context, left[i], right[i]))
                continue;
            context.EnterCall();
            bool result = Order(context, op, left[i], right[i]);
            context.LeaveCall();
            return result;
        }
        return Holds(op, left.Count.CompareTo(right.Count));
    }

    private static bool Holds(string op, int order) => op switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    /// <summary><c>item in container</c>.</summary>
    public static bool Contains(RenderContext context, Value container, Value item)
    {
        switch (container)
        {
            case StringValue text when item is StringValue part:
                return TextSearch.IndexOf(context, text.Text, part.Text, 0) >= 0;
            case StringValue:
                throw context.Error($"'in <string>' requires string as left operand, not {item.TypeName}");
            case DictValue dict:
                return dict.Items.ContainsKey(Hashable(context, item));
            case DictViewValue { Kind: DictViewKind.Keys } view:
                return view.Dict.Items.ContainsKey(Hashable(context, item));
        }
        IEnumerable<Value> items = PythonSequences.TryIterate(context, container)
            ?? throw context.Error($"argument of type '{container.TypeName}' is not iterable");
        return items.Any(candidate => Equals(context, candidate, item));
    }

    /// <summary>The value itself, if it can be a dict key.</summary>
    public static Value Hashable(RenderContext context, Value value) =>
        ValueComparer.IsHashable(value) ? value : throw context.Error($"unhashable type: '{value.TypeName}'");
}
