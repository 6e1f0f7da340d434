using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The methods of dicts, lists and tuples that change nothing.</summary>
internal static class CollectionMethods
{
    public static FunctionValue? Find(DictValue dict, string name)
    {
        switch (name)
        {
            case "items":
                return View(dict, name, DictViewKind.Items);
            case "keys":
                return View(dict, name, DictViewKind.Keys);
            case "values":
                return View(dict, name, DictViewKind.Values);
            case "copy":
                return new FunctionValue(name, (context, arguments) =>
                {
                    arguments.BindNothing(context, name);
                    return dict;
                });
            case "get":
                return new FunctionValue(name, (context, arguments) =>
                {
                    Value?[] bound = arguments.Bind(context, name, 1, "key", "default");
                    return dict.Items.TryGetValue(PythonOperators.Hashable(context, bound[0]!), out Value? value) ? value : bound[1] ?? NoneValue.Instance;
                });
            default:
                return null;
        }
    }

    public static FunctionValue? Find(SequenceValue sequence, string name)
    {
        switch (name)
        {
            case "index":
                return new FunctionValue(name, (context, arguments) => IndexOf(context, sequence, arguments));
            case "count":
                return new FunctionValue(name, (context, arguments) =>
                {
                    Value wanted = arguments.Bind(context, name, 1, "value")[0]!;
                    return new IntValue(sequence.Items.Count(item => PythonOperators.Equals(context, item, wanted)));
                });
            case "copy" when sequence is ListValue:
                return new FunctionValue(name, (context, arguments) =>
                {
                    arguments.BindNothing(context, name);
                    return sequence;
                });
            default:
                return null;
        }
    }

    private static FunctionValue View(DictValue dict, string name, DictViewKind kind) => new(name, (context, arguments) =>
    {
        arguments.BindNothing(context, name);
        return new DictViewValue(dict, kind);
    });

    private static IntValue IndexOf(RenderContext context, SequenceValue sequence, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "index", 1, "value", "start", "stop");
        int start = Position(context, bound[1], sequence.Items.Count, 0);
        int stop = Position(context, bound[2], sequence.Items.Count, sequence.Items.Count);
        for (int i = start; i < stop; i++)
        {
            if (PythonOperators.Equals(context, sequence.Items[i], bound[0]!))
                return new IntValue(i);
        }
        throw context.Error($"{PythonText.Repr(context, bound[0]!)} is not in {sequence.TypeName}");
    }

    /// <summary>An optional index argument, counted from the end where negative, brought into range.</summary>
    public static int Position(RenderContext context, Value? value, int length, int missing)
    {
        if (value is null or NoneValue)
            return missing;
        if (!PythonNumbers.TryGetInt(value, out BigInteger index))
            throw context.Error("slice indices must be integers or None or have an __index__ method");
        if (index < 0)
            index += length;
        return (int)BigInteger.Max(0, BigInteger.Min(length, index));
    }
}
