using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The functions every template can call: Jinja's and the two that Hugging Face adds.</summary>
internal static class GlobalFunctions
{
    public static void Define(Scope scope)
    {
        Add("range", Range);
        Add("dict", (context, arguments) => new DictValue(ToDict(context, arguments, "dict")));
        Add("namespace", Namespace);
        Add("cycler", (context, arguments) => new CyclerValue(context, arguments));
        Add("joiner", (context, arguments) => new JoinerValue(arguments.Bind(context, "joiner", 0, "sep")[0] ?? new StringValue(", ")));
        Add("lipsum", (context, _) => throw context.Error("lipsum is not supported in chat templates"));
        Add("raise_exception", (context, arguments) =>
        {
            Value message = arguments.Bind(context, "raise_exception", 1, "message")[0]!;
            throw new ChatTemplateRaisedException(PythonText.Str(context, message), context.Current?.Line ?? 1);
        });
        Add("strftime_now", (context, arguments) =>
        {
            string format = context.Text(arguments.Bind(context, "strftime_now", 1, "format")[0], "strftime_now() argument");
            return context.NewString(Strftime.Format(context, context.Clock.GetLocalNow().DateTime, format));
        });

        void Add(string name, Func<RenderContext, Arguments, Value> body) => scope.Set(name, new FunctionValue(name, body));
    }

    private static RangeValue Range(RenderContext context, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "range", 1, "start", "stop", "step");
        BigInteger first = Number(context, bound[0]!);
        (BigInteger start, BigInteger stop) = bound[1] is null ? (BigInteger.Zero, first) : (first, Number(context, bound[1]!));
        BigInteger step = bound[2] is null ? BigInteger.One : Number(context, bound[2]!);
        if (step.IsZero)
            throw context.Error("range() arg 3 must not be zero");
        BigInteger span = step.Sign > 0 ? stop - start + step - 1 : start - stop - step - 1;
        BigInteger count = BigInteger.Max(0, span / BigInteger.Abs(step));
        if (count > context.Limits.MaxRangeLength)
            throw context.Error($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({context.Limits.MaxRangeLength}).");
        // A range that fits the limit may still lie far out; only its bounds must fit.
        if (BigInteger.Abs(start) > long.MaxValue / 4 || BigInteger.Abs(step) * (count + 1) > long.MaxValue / 4)
            throw context.Error("a range beyond 61 bits is not supported");
        return new RangeValue((long)start, (long)step, (int)count);
    }

    private static BigInteger Number(RenderContext context, Value value)
    {
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        return PythonNumbers.TryGetInt(value, out BigInteger number)
            ? number
            : throw context.Error($"'{value.TypeName}' object cannot be interpreted as an integer");
    }

    private static NamespaceValue Namespace(RenderContext context, Arguments arguments)
    {
        var attributes = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach ((Value key, Value value) in ToDict(context, arguments, "namespace"))
            attributes[context.Text(key, "an attribute of a namespace")] = value;
        return new NamespaceValue(attributes);
    }

    /// <summary>The arguments of <c>dict()</c>: at most one mapping or sequence of pairs, and then names.</summary>
    private static OrderedDictionary<Value, Value> ToDict(RenderContext context, Arguments arguments, string function)
    {
        if (arguments.Positional.Count > 1)
            throw context.Error($"{function} expected at most 1 argument, got {arguments.Positional.Count}");
        var items = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
        foreach (Value source in arguments.Positional)
        {
            if (source is DictValue dict)
            {
                context.AllocateList(dict.Items.Count * 2L);
                foreach ((Value key, Value value) in dict.Items)
                    items[key] = value;
                continue;
            }
            foreach (Value pair in PythonSequences.Iterate(context, source))
            {
                List<Value> parts = PythonSequences.ToList(context, pair);
                if (parts.Count != 2)
                    throw context.Error($"dictionary update sequence element has length {parts.Count}; 2 is required");
                items[PythonOperators.Hashable(context, parts[0])] = parts[1];
            }
        }
        context.AllocateList(arguments.Named.Count * 2L);
        foreach ((string name, Value value) in arguments.Named)
            items[new StringValue(name)] = value;
        return items;
    }
}

/// <summary><c>cycler(a, b, …)</c>: hands out its items in turn.</summary>
internal sealed class CyclerValue : Value
{
    private readonly IReadOnlyList<Value> _items;
    private int _position;

    public CyclerValue(RenderContext context, Arguments arguments)
    {
        if (arguments.Positional.Count == 0)
            throw context.Error("at least one item has to be provided");
        _items = arguments.Positional;
    }

    public override string TypeName => "Cycler";

    public Value? Attribute(string name) => name switch
    {
        "current" => _items[_position],
        "next" => new FunctionValue(name, (context, arguments) =>
        {
            arguments.BindNothing(context, name);
            Value item = _items[_position];
            _position = (_position + 1) % _items.Count;
            return item;
        }),
        "reset" => new FunctionValue(name, (context, arguments) =>
        {
            arguments.BindNothing(context, name);
            _position = 0;
            return NoneValue.Instance;
        }),
        _ => null,
    };
}

/// <summary><c>joiner(separator)</c>: nothing on its first call, the separator from then on.</summary>
internal sealed class JoinerValue(Value separator) : CallableValue
{
    private bool _used;

    public override string TypeName => "Joiner";

    public override Value Call(RenderContext context, Arguments arguments)
    {
        arguments.BindNothing(context, "joiner");
        Value result = _used ? separator : StringValue.Empty;
        _used = true;
        return result;
    }
}
