using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The tests behind <c>is</c>.</summary>
internal static class BuiltInTests
{
    private delegate bool Test(RenderContext context, Value value, Arguments arguments);

    private static readonly Dictionary<string, Test> Tests = new(StringComparer.Ordinal)
    {
        ["defined"] = Plain("defined", (_, value) => value is not UndefinedValue),
        ["undefined"] = Plain("undefined", (_, value) => value is UndefinedValue),
        ["none"] = Plain("none", (_, value) => value is NoneValue),
        ["boolean"] = Plain("boolean", (_, value) => value is BoolValue),
        ["true"] = Plain("true", (_, value) => value is BoolValue { Value: true }),
        ["false"] = Plain("false", (_, value) => value is BoolValue { Value: false }),
        ["integer"] = Plain("integer", (_, value) => value is IntValue),
        ["float"] = Plain("float", (_, value) => value is FloatValue),
        ["number"] = Plain("number", (_, value) => PythonNumbers.IsNumber(value)),
        ["string"] = Plain("string", (_, value) => value is StringValue),
        ["mapping"] = Plain("mapping", (_, value) => value is DictValue),
        ["sequence"] = Plain("sequence", (_, value) => value is StringValue or SequenceValue or DictValue or RangeValue or UndefinedValue),
        ["iterable"] = Plain("iterable", (context, value) => PythonSequences.TryIterate(context, value) is not null),
        ["callable"] = Plain("callable", (_, value) => value is CallableValue or UndefinedValue),
        ["escaped"] = Plain("escaped", (_, value) => value is StringValue { IsMarkup: true }),
        ["lower"] = Plain("lower", (context, value) => TextCase.IsLower(PythonText.Str(context, value))),
        ["upper"] = Plain("upper", (context, value) => TextCase.IsUpper(PythonText.Str(context, value))),
        ["odd"] = Plain("odd", (context, value) => Remainder(context, value, new IntValue(2), BigInteger.One)),
        ["even"] = Plain("even", (context, value) => Remainder(context, value, new IntValue(2), BigInteger.Zero)),
        ["divisibleby"] = (context, value, arguments) => Remainder(context, value, arguments.Bind(context, "divisibleby", 1, "num")[0]!, BigInteger.Zero),
        ["sameas"] = (context, value, arguments) => IsSame(value, arguments.Bind(context, "sameas", 1, "other")[0]!),
        ["in"] = (context, value, arguments) => PythonOperators.Contains(context, arguments.Bind(context, "in", 1, "seq")[0]!, value),
        ["filter"] = Plain("filter", (_, value) => value is StringValue name && Filters.Exists(name.Text)),
        ["test"] = Plain("test", (_, value) => value is StringValue name && Exists(name.Text)),
        ["eq"] = Equal(expected: true),
        ["equalto"] = Equal(expected: true),
        ["=="] = Equal(expected: true),
        ["ne"] = Equal(expected: false),
        ["!="] = Equal(expected: false),
        ["lt"] = Ordered("<"),
        ["lessthan"] = Ordered("<"),
        ["<"] = Ordered("<"),
        ["le"] = Ordered("<="),
        ["<="] = Ordered("<="),
        ["gt"] = Ordered(">"),
        ["greaterthan"] = Ordered(">"),
        [">"] = Ordered(">"),
        ["ge"] = Ordered(">="),
        [">="] = Ordered(">="),
    };

    public static bool Exists(string name) => Tests.ContainsKey(name);

    public static bool Apply(RenderContext context, string name, Value value, Arguments arguments) =>
        Tests.TryGetValue(name, out Test? test) ? test(context, value, arguments) : throw context.Error($"No test named '{name}'.");

    private static Test Plain(string name, Func<RenderContext, Value, bool> test) => (context, value, arguments) =>
    {
        arguments.BindNothing(context, name);
        return test(context, value);
    };

    private static Test Equal(bool expected) => (context, value, arguments) =>
        PythonOperators.Equals(context, value, arguments.Bind(context, "eq", 1, "other")[0]!) == expected;

    private static Test Ordered(string op) => (context, value, arguments) =>
        PythonOperators.Order(context, op, value, arguments.Bind(context, "compare", 1, "other")[0]!);

    private static bool Remainder(RenderContext context, Value value, Value divisor, BigInteger expected) =>
        PythonOperators.Equals(context, Arithmetic.Apply(context, "%", value, divisor), new IntValue(expected));

    /// <summary>Identity; small equal ints and equal strings count as identical, as they mostly do in Python.</summary>
    private static bool IsSame(Value value, Value other) => (value, other) switch
    {
        (IntValue left, IntValue right) => left.Value == right.Value,
        (StringValue left, StringValue right) => left.Text == right.Text,
        _ => ReferenceEquals(value, other),
    };
}
