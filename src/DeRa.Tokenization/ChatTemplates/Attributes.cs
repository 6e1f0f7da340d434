using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>
/// What <c>value.name</c> and <c>value[key]</c> mean: an attribute first and then an item, or the other way round, and undefined where
/// neither exists. Methods that change their object exist but are not handed out, as in Jinja's immutable sandbox.
/// </summary>
internal static class Attributes
{
    public static Value GetAttribute(RenderContext context, Value value, string name)
    {
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        return FindAttribute(value, name, context)
            ?? FindItem(context, value, new StringValue(name))
            ?? Missing(value, new StringValue(name), context);
    }

    public static Value GetItem(RenderContext context, Value value, Value key)
    {
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        Value? item = FindItem(context, value, key);
        if (item is null && key is StringValue name)
            item = FindAttribute(value, name.Text, context);
        return item ?? Missing(value, key, context);
    }

    /// <summary>The attribute alone, as the <c>attr</c> filter looks it up.</summary>
    public static Value GetAttributeOnly(RenderContext context, Value value, string name)
    {
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        return FindAttribute(value, name, context) ?? Missing(value, new StringValue(name), context);
    }

    private static Value? FindItem(RenderContext context, Value value, Value key)
    {
        switch (value)
        {
            case DictValue dict:
                return ValueComparer.IsHashable(key) && dict.Items.TryGetValue(key, out Value? item) ? item : null;
            case SequenceValue or StringValue or RangeValue when PythonNumbers.TryGetInt(key, out BigInteger index):
                return PythonSequences.ItemAt(context, value, index);
            default:
                return null;
        }
    }

    private static Value? FindAttribute(Value value, string name, RenderContext context)
    {
        if (name.Length > 4 && name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal))
            return Forbidden(value, name);
        switch (value)
        {
            case StringValue text:
                return StringMethods.Find(text, name);
            case DictValue dict:
                return name is "clear" or "pop" or "popitem" or "setdefault" or "update" ? Forbidden(value, name) : CollectionMethods.Find(dict, name);
            case ListValue list:
                return name is "append" or "clear" or "pop" or "reverse" or "insert" or "sort" or "extend" or "remove"
                    ? Forbidden(value, name)
                    : CollectionMethods.Find(list, name);
            case GroupValue group when name is "grouper" or "list":
                return group.Items[name == "grouper" ? 0 : 1];
            case SequenceValue tuple:
                return CollectionMethods.Find(tuple, name);
            case NamespaceValue ns:
                return ns.Attributes.GetValueOrDefault(name);
            case LoopValue loop:
                return loop.Attribute(context, name);
            case MacroValue macro:
                return macro.Attribute(name);
            case RangeValue range when name is "start" or "stop" or "step":
                return new IntValue(name == "start" ? range.Start : name == "stop" ? range.Stop : range.Step);
            case CyclerValue cycler:
                return cycler.Attribute(name);
            default:
                return null;
        }
    }

    private static UndefinedValue Forbidden(Value value, string name) =>
        new($"access to attribute '{name}' of '{value.TypeName}' object is unsafe.");

    private static UndefinedValue Missing(Value value, Value key, RenderContext context)
    {
        string owner = value switch
        {
            NoneValue => "None",
            NamespaceValue => "jinja2.utils.Namespace object",
            LoopValue => "jinja2.runtime.LoopContext object",
            MacroValue => "jinja2.runtime.Macro object",
            _ => $"{value.TypeName} object",
        };
        return new UndefinedValue(key is StringValue name
            ? $"'{owner}' has no attribute '{name.Text}'"
            : $"{owner} has no element {PythonText.Repr(context, key)}");
    }
}
