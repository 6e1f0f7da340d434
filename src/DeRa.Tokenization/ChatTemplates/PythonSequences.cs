using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Iteration, length, indexing and slices.</summary>
internal static class PythonSequences
{
    /// <summary>Iterates over a value, charging a step for each item.</summary>
    /// <exception cref="ChatTemplateException">The value is not iterable.</exception>
    public static IEnumerable<Value> Iterate(RenderContext context, Value value) =>
        TryIterate(context, value) ?? throw NotIterable(context, value);

    public static ChatTemplateException NotIterable(RenderContext context, Value value) =>
        context.Error($"'{value.TypeName}' object is not iterable");

    /// <summary>The items of a value, or null if it is not iterable.</summary>
    public static IEnumerable<Value>? TryIterate(RenderContext context, Value value)
    {
        switch (value)
        {
            case UndefinedValue:
                return [];
            case SequenceValue sequence:
                return Charged(context, sequence.Items);
            case StringValue text:
                return Charged(context, CodePoints.Split(text.Text).Select(c => new StringValue(c)));
            case DictValue dict:
                return Charged(context, dict.Items.Keys);
            case DictViewValue view:
                return Charged(context, ViewItems(view));
            case RangeValue range:
                return Charged(context, Enumerable.Range(0, range.Count).Select(range.At));
            case IteratorValue iterator:
                return Drain(context, iterator);
            case LoopValue loop:
                return loop.Remaining(context);
            default:
                return null;
        }
    }

    /// <summary>All items as a list.</summary>
    public static List<Value> ToList(RenderContext context, Value value)
    {
        if (value is SequenceValue sequence)
        {
            context.AllocateList(sequence.Items.Count);
            return [.. sequence.Items];
        }
        var items = new List<Value>();
        foreach (Value item in Iterate(context, value))
        {
            context.AllocateList(1);
            items.Add(item);
        }
        return items;
    }

    public static IEnumerable<Value> ViewItems(DictViewValue view) => view.Kind switch
    {
        DictViewKind.Keys => view.Dict.Items.Keys,
        DictViewKind.Values => view.Dict.Items.Values,
        _ => view.Dict.Items.Select(pair => new TupleValue([pair.Key, pair.Value])),
    };

    /// <summary><c>len(value)</c>, or null if the value has none.</summary>
    public static int? TryLength(RenderContext context, Value value)
    {
        switch (value)
        {
            case StringValue text:
                context.Work(text.Text.Length);
                return CodePoints.Length(text.Text);
            case SequenceValue sequence:
                return sequence.Items.Count;
            case DictValue dict:
                return dict.Items.Count;
            case DictViewValue view:
                return view.Dict.Items.Count;
            case RangeValue range:
                return range.Count;
            case LoopValue loop:
                return loop.Length(context);
            case UndefinedValue:
                return 0;
            default:
                return null;
        }
    }

    public static int Length(RenderContext context, Value value) =>
        TryLength(context, value) ?? throw context.Error($"object of type '{value.TypeName}' has no len()");

    /// <summary>The item at an index, which may count from the end; null where there is none.</summary>
    public static Value? ItemAt(RenderContext context, Value sequence, BigInteger index)
    {
        int length = Length(context, sequence);
        if (index < 0)
            index += length;
        if (index < 0 || index >= length)
            return null;
        int at = (int)index;
        return sequence switch
        {
            SequenceValue list => list.Items[at],
            RangeValue range => range.At(at),
            StringValue text => new StringValue(CharacterAt(text.Text, at), text.IsMarkup),
            _ => null,
        };
    }

    private static string CharacterAt(string text, int index)
    {
        if (CodePoints.AreUnits(text))
            return text.Substring(index, 1);
        int[] offsets = CodePoints.Offsets(text);
        return text[offsets[index]..offsets[index + 1]];
    }

    /// <summary><c>value[start:stop:step]</c>.</summary>
    public static Value Slice(RenderContext context, Value value, Value start, Value stop, Value step)
    {
        switch (value)
        {
            case UndefinedValue undefined:
                throw context.Undefined(undefined);
            case DictValue:
                throw context.Error("unhashable type: 'slice'");
            case not (StringValue or SequenceValue or RangeValue):
                throw context.Error($"'{value.TypeName}' object is not subscriptable");
        }
        int length = Length(context, value);
        BigInteger stride = Bound(context, step) ?? BigInteger.One;
        if (stride.IsZero)
            throw context.Error("slice step cannot be zero");
        int lowest = stride.Sign > 0 ? 0 : -1;
        int highest = stride.Sign > 0 ? length : length - 1;
        int first = Clamp(Bound(context, start), length, lowest, highest, stride.Sign > 0 ? lowest : highest);
        int last = Clamp(Bound(context, stop), length, lowest, highest, stride.Sign > 0 ? highest : lowest);
        // A stride beyond the length takes one item, as any such stride does.
        int by = (int)BigInteger.Max(-length - 1, BigInteger.Min(length + 1, stride));
        int count = by > 0 ? Math.Max(0, (last - first + by - 1) / by) : Math.Max(0, (first - last - by - 1) / -by);
        return Take(context, value, first, by, count);
    }

    private static Value Take(RenderContext context, Value value, int first, int by, int count)
    {
        switch (value)
        {
            case StringValue text:
                return TakeText(context, text, first, by, count);
            case RangeValue range:
                return new RangeValue(range.Start + (range.Step * first), range.Step * by, count);
            default:
                IReadOnlyList<Value> source = ((SequenceValue)value).Items;
                context.AllocateList(count);
                var items = new Value[count];
                for (int i = 0; i < count; i++)
                    items[i] = source[first + (i * by)];
                return value is ListValue ? new ListValue(items) : new TupleValue(items);
        }
    }

    private static StringValue TakeText(RenderContext context, StringValue value, int first, int by, int count)
    {
        string text = value.Text;
        if (count == 0)
            return new StringValue("", value.IsMarkup);
        context.Work(text.Length);
        if (by == 1)
            return context.NewString(text[CodePoints.ToOffset(text, first)..CodePoints.ToOffset(text, first + count)], value.IsMarkup);
        int[] offsets = CodePoints.Offsets(text);
        var result = new System.Text.StringBuilder(count);
        for (int i = 0, at = first; i < count; i++, at += by)
            result.Append(text, offsets[at], offsets[at + 1] - offsets[at]);
        return context.NewString(result.ToString(), value.IsMarkup);
    }

    private static BigInteger? Bound(RenderContext context, Value value)
    {
        if (value is NoneValue)
            return null;
        if (PythonNumbers.TryGetInt(value, out BigInteger number))
            return number;
        throw context.Error("slice indices must be integers or None or have an __index__ method");
    }

    private static int Clamp(BigInteger? bound, int length, int lowest, int highest, int missing)
    {
        if (bound is not BigInteger at)
            return missing;
        if (at < 0)
            at += length;
        return (int)BigInteger.Max(lowest, BigInteger.Min(highest, at));
    }

    private static IEnumerable<Value> Charged(RenderContext context, IEnumerable<Value> items)
    {
        foreach (Value item in items)
        {
            context.Step();
            yield return item;
        }
    }

    private static IEnumerable<Value> Drain(RenderContext context, IteratorValue iterator)
    {
        while (iterator.Next(context) is Value item)
        {
            context.Step();
            yield return item;
        }
    }
}
