using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Filters that make numbers, and those that aggregate numbers.</summary>
internal static partial class Filters
{
    private static void AddNumbers(Dictionary<string, Filter> filters)
    {
        filters["int"] = ToInt;
        filters["float"] = ToFloat;
        filters["abs"] = Abs;
        filters["round"] = Round;
        filters["sum"] = Sum;
        filters["min"] = (context, value, arguments) => Extreme(context, value, arguments, "<");
        filters["max"] = (context, value, arguments) => Extreme(context, value, arguments, ">");
        filters["filesizeformat"] = FileSize;
    }

    private static Value ToInt(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "int", 0, "default", "base");
        Value fallback = bound[0] ?? new IntValue(0);
        switch (value)
        {
            case UndefinedValue undefined:
                throw context.Undefined(undefined);
            case StringValue text:
                if (PythonNumbers.TryParseInt(context, text.Text, context.Int(bound[1], 10, "base"), out BigInteger parsed))
                    return context.NewInt(parsed);
                // As in Jinja, the text of a float counts as well.
                return PythonNumbers.TryParseFloat(text.Text, out double parsedReal) && double.IsFinite(parsedReal)
                    ? context.NewInt(new BigInteger(parsedReal))
                    : fallback;
            case FloatValue real:
                return double.IsFinite(real.Value) ? context.NewInt(new BigInteger(real.Value)) : fallback;
            default:
                return PythonNumbers.TryGetInt(value, out BigInteger number) ? new IntValue(number) : fallback;
        }
    }

    private static Value ToFloat(RenderContext context, Value value, Arguments arguments)
    {
        Value fallback = arguments.Bind(context, "float", 0, "default")[0] ?? new FloatValue(0);
        switch (value)
        {
            case UndefinedValue undefined:
                throw context.Undefined(undefined);
            case StringValue text:
                return PythonNumbers.TryParseFloat(text.Text, out double parsed) ? new FloatValue(parsed) : fallback;
            default:
                return PythonNumbers.TryGetDouble(value, out double number) ? new FloatValue(number) : fallback;
        }
    }

    private static Value Abs(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "abs");
        return value switch
        {
            UndefinedValue undefined => throw context.Undefined(undefined),
            FloatValue real => new FloatValue(Math.Abs(real.Value)),
            _ => PythonNumbers.TryGetInt(value, out BigInteger number)
                ? new IntValue(BigInteger.Abs(number))
                : throw context.Error($"bad operand type for abs(): '{value.TypeName}'"),
        };
    }

    private static Value Round(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "round", 0, "precision", "method");
        int precision = context.Int(bound[0], 0, "precision");
        string method = bound[1] is null ? "common" : context.Text(bound[1], "method");
        if (method is not ("common" or "ceil" or "floor"))
            throw context.Error("method must be common, ceil or floor");
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        if (!PythonNumbers.TryGetDouble(value, out double number))
            throw context.Error($"type {value.TypeName} doesn't define __round__ method");
        if (method != "common")
        {
            double scale = Math.Pow(10, precision);
            return new FloatValue((method == "ceil" ? Math.Ceiling(number * scale) : Math.Floor(number * scale)) / scale);
        }
        if (!PythonNumbers.TryGetInt(value, out BigInteger integer))
            return new FloatValue(FloatText.Round(number, precision));
        return new IntValue(precision >= 0 ? integer : RoundInt(context, integer, -(long)precision));
    }

    private static BigInteger RoundInt(RenderContext context, BigInteger number, long places)
    {
        if (places > context.Limits.MaxIntegerBits)
            return BigInteger.Zero;
        BigInteger unit = BigInteger.Pow(10, (int)places);
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(number), unit, out BigInteger remainder);
        int half = (remainder * 2).CompareTo(unit);
        if (half > 0 || (half == 0 && !quotient.IsEven))
            quotient++;
        return quotient * unit * number.Sign;
    }

    private static Value Sum(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "sum", 0, "attribute", "start");
        Func<Value, Value> read = AttributeReader(context, bound[0]);
        Value total = bound[1] ?? new IntValue(0);
        if (total is StringValue)
            throw context.Error("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (Value item in PythonSequences.Iterate(context, value))
            total = Arithmetic.Apply(context, "+", total, read(item));
        return total;
    }

    private static Value Extreme(RenderContext context, Value value, Arguments arguments, string op)
    {
        Value?[] bound = arguments.Bind(context, op == "<" ? "min" : "max", 0, "case_sensitive", "attribute");
        Func<Value, Value> read = AttributeReader(context, bound[1], ignoreCase: !context.Flag(bound[0]));
        Value? best = null;
        Value? bestKey = null;
        foreach (Value item in PythonSequences.Iterate(context, value))
        {
            Value key = read(item);
            if (bestKey is not null && !PythonOperators.Order(context, op, key, bestKey))
                continue;
            (best, bestKey) = (item, key);
        }
        return best ?? new UndefinedValue("No aggregated item, sequence was empty.");
    }

    private static StringValue FileSize(RenderContext context, Value value, Arguments arguments)
    {
        bool binary = context.Flag(arguments.Bind(context, "filesizeformat", 0, "binary")[0]);
        if (ToFloat(context, value, Arguments.None) is not FloatValue { Value: double bytes } || !double.IsFinite(bytes))
            throw context.Error("filesizeformat needs a number");
        double unit = binary ? 1024 : 1000;
        if (bytes == 1)
            return new StringValue("1 Byte");
        if (bytes < unit)
            return new StringValue($"{FloatText.Fixed(Math.Truncate(bytes), 0)} Bytes");
        string[] prefixes = binary ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
        double scale = unit;
        int index = 0;
        for (; index < prefixes.Length - 1 && bytes >= scale * unit; index++)
            scale *= unit;
        return new StringValue($"{FloatText.Fixed(bytes / scale, 1)} {prefixes[index]}");
    }
}
