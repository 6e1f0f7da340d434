namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The lazy filters that apply a filter or a test to each item.</summary>
internal static partial class Filters
{
    private static void AddSelection(Dictionary<string, Filter> filters)
    {
        filters["map"] = Map;
        filters["select"] = (context, value, arguments) => Select(context, value, arguments, keep: true, byAttribute: false);
        filters["reject"] = (context, value, arguments) => Select(context, value, arguments, keep: false, byAttribute: false);
        filters["selectattr"] = (context, value, arguments) => Select(context, value, arguments, keep: true, byAttribute: true);
        filters["rejectattr"] = (context, value, arguments) => Select(context, value, arguments, keep: false, byAttribute: true);
    }

    private static IteratorValue Map(RenderContext context, Value value, Arguments arguments) =>
        new(PythonOperators.IsTrue(context, value) ? Mapped(context, value, arguments) : []);

    private static IEnumerable<Value> Mapped(RenderContext context, Value value, Arguments arguments)
    {
        Func<Value, Value> map = Mapper(context, arguments);
        foreach (Value item in PythonSequences.Iterate(context, value))
            yield return map(item);
    }

    private static Func<Value, Value> Mapper(RenderContext context, Arguments arguments)
    {
        if (arguments.Positional.Count == 0 && arguments.Named.Any(argument => argument.Key == "attribute"))
        {
            Value?[] bound = arguments.Bind(context, "map", 0, "attribute", "default");
            return AttributeReader(context, bound[0], bound[1] is NoneValue ? null : bound[1]);
        }
        if (arguments.Positional.Count == 0)
            throw context.Error("map requires a filter argument");
        string name = context.Text(arguments.Positional[0], "the name of a filter");
        Arguments rest = arguments.Skip(1);
        return item => Apply(context, name, item, rest);
    }

    private static IteratorValue Select(RenderContext context, Value value, Arguments arguments, bool keep, bool byAttribute) =>
        new(PythonOperators.IsTrue(context, value) ? Selected(context, value, arguments, keep, byAttribute) : []);

    private static IEnumerable<Value> Selected(RenderContext context, Value value, Arguments arguments, bool keep, bool byAttribute)
    {
        int used = byAttribute ? 1 : 0;
        if (arguments.Positional.Count < used)
            throw context.Error("Missing parameter for attribute name");
        Func<Value, Value> read = AttributeReader(context, byAttribute ? arguments.Positional[0] : null);
        Func<Value, bool> test = item => PythonOperators.IsTrue(context, item);
        if (arguments.Positional.Count > used)
        {
            string name = context.Text(arguments.Positional[used], "the name of a test");
            Arguments rest = arguments.Skip(used + 1);
            test = item => BuiltInTests.Apply(context, name, item, rest);
        }
        foreach (Value item in PythonSequences.Iterate(context, value))
        {
            if (test(read(item)) == keep)
                yield return item;
        }
    }
}
