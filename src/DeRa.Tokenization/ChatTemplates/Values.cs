using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>A value of the template language; all but <see cref="NamespaceValue"/> and iterators are immutable.</summary>
internal abstract class Value
{
    /// <summary>Python's name of the type, as its error messages print it.</summary>
    public abstract string TypeName { get; }
}

internal sealed class NoneValue : Value
{
    public static readonly NoneValue Instance = new();

    private NoneValue()
    {
    }

    public override string TypeName => "NoneType";
}

internal sealed class BoolValue : Value
{
    public static readonly BoolValue True = new(true);
    public static readonly BoolValue False = new(false);

    private BoolValue(bool value) => Value = value;

    public bool Value { get; }

    public override string TypeName => "bool";

    public static BoolValue Of(bool value) => value ? True : False;
}

internal sealed class IntValue(BigInteger value) : Value
{
    public BigInteger Value { get; } = value;

    public override string TypeName => "int";
}

internal sealed class FloatValue(double value) : Value
{
    public double Value { get; } = value;

    public override string TypeName => "float";
}

/// <summary>A string; <see cref="IsMarkup"/> marks text that the <c>safe</c> or <c>escape</c> filter produced.</summary>
internal sealed class StringValue(string text, bool isMarkup = false) : Value
{
    public static readonly StringValue Empty = new("");

    public string Text { get; } = text;

    public bool IsMarkup { get; } = isMarkup;

    public override string TypeName => IsMarkup ? "Markup" : "str";
}

/// <summary>A list or a tuple.</summary>
internal abstract class SequenceValue(IReadOnlyList<Value> items) : Value
{
    public IReadOnlyList<Value> Items { get; } = items;
}

internal sealed class ListValue(IReadOnlyList<Value> items) : SequenceValue(items)
{
    public override string TypeName => "list";
}

internal class TupleValue(IReadOnlyList<Value> items) : SequenceValue(items)
{
    public override string TypeName => "tuple";
}

/// <summary>What <c>groupby</c> yields: a pair that also answers to <c>grouper</c> and <c>list</c>.</summary>
internal sealed class GroupValue(Value grouper, ListValue list) : TupleValue([grouper, list]);

internal sealed class DictValue(OrderedDictionary<Value, Value> items) : Value
{
    public OrderedDictionary<Value, Value> Items { get; } = items;

    public override string TypeName => "dict";
}

internal enum DictViewKind
{
    Keys,
    Values,
    Items,
}

/// <summary>The result of a dict's <c>keys()</c>, <c>values()</c> or <c>items()</c>.</summary>
internal sealed class DictViewValue(DictValue dict, DictViewKind kind) : Value
{
    public DictValue Dict { get; } = dict;

    public DictViewKind Kind { get; } = kind;

    public override string TypeName => Kind switch
    {
        DictViewKind.Keys => "dict_keys",
        DictViewKind.Values => "dict_values",
        _ => "dict_items",
    };
}

internal sealed class RangeValue(long start, long step, int count) : Value
{
    public long Start { get; } = start;

    public long Step { get; } = step;

    public int Count { get; } = count;

    public long Stop => Start + (Step * Count);

    public override string TypeName => "range";

    public IntValue At(int index) => new(Start + (Step * index));
}

/// <summary>A name, attribute or item that does not exist: prints as nothing, iterates over nothing, and refuses the rest.</summary>
/// <param name="problem">The message of the error that using the value gives.</param>
internal sealed class UndefinedValue(string problem) : Value
{
    public string Problem { get; } = problem;

    public override string TypeName => "Undefined";

    public static UndefinedValue Variable(string name) => new($"'{name}' is undefined");
}

internal sealed class NamespaceValue(Dictionary<string, Value> attributes) : Value
{
    public Dictionary<string, Value> Attributes { get; } = attributes;

    public override string TypeName => "Namespace";
}

/// <summary>A lazy sequence that can be read once, as Python's generators and iterators.</summary>
internal sealed class IteratorValue(IEnumerable<Value> source, string typeName = "generator") : Value
{
    private readonly IEnumerator<Value> _items = source.GetEnumerator();

    public override string TypeName => typeName;

    /// <summary>Reads the next item; nested lazy filters recurse here, so the depth is charged.</summary>
    public Value? Next(RenderContext context)
    {
        context.EnterCall();
        Value? item = _items.MoveNext() ? _items.Current : null;
        context.LeaveCall();
        return item;
    }
}
