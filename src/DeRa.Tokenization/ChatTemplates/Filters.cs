namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The filters by name; each part of this class holds the filters of one kind of value.</summary>
internal static partial class Filters
{
    private delegate Value Filter(RenderContext context, Value value, Arguments arguments);

    private static readonly Dictionary<string, Filter> All = Build();

    public static bool Exists(string name) => All.ContainsKey(name);

    public static Value Apply(RenderContext context, string name, Value value, Arguments arguments) =>
        All.TryGetValue(name, out Filter? filter) ? filter(context, value, arguments) : throw context.Error($"No filter named '{name}'.");

    private static Dictionary<string, Filter> Build()
    {
        var filters = new Dictionary<string, Filter>(StringComparer.Ordinal)
        {
            ["default"] = Default,
            ["tojson"] = JsonText.Filter,
            ["attr"] = (context, value, arguments) =>
                Attributes.GetAttributeOnly(context, value, PythonText.Str(context, arguments.Bind(context, "attr", 1, "name")[0]!)),
        };
        filters["d"] = filters["default"];
        AddText(filters);
        AddNumbers(filters);
        AddSequences(filters);
        AddSelection(filters);
        return filters;
    }

    private static Value Default(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "default", 0, "default_value", "boolean");
        bool missing = value is UndefinedValue || (context.Flag(bound[1]) && !PythonOperators.IsTrue(context, value));
        return missing ? bound[0] ?? StringValue.Empty : value;
    }

    /// <summary>A reader of an attribute path such as <c>function.name</c> or <c>0</c>, as several filters take it.</summary>
    private static Func<Value, Value> AttributeReader(RenderContext context, Value? attribute, Value? missing = null, bool ignoreCase = false)
    {
        Value[] path = attribute switch
        {
            null or NoneValue => [],
            StringValue text => [.. text.Text.Split('.').Select(PathPart)],
            _ => [attribute],
        };
        context.AllocateList(path.Length);
        return item =>
        {
            foreach (Value part in path)
            {
                context.Step();
                item = Attributes.GetItem(context, item, part);
                if (item is UndefinedValue && missing is not null)
                    item = missing;
            }
            return ignoreCase ? FoldCase(context, item) : item;
        };
    }

    private static Value PathPart(string part) =>
        part.Length is > 0 and < 10 && part.All(char.IsAsciiDigit)
            ? new IntValue(int.Parse(part, System.Globalization.CultureInfo.InvariantCulture))
            : new StringValue(part);

    private static Value FoldCase(RenderContext context, Value value) =>
        value is StringValue text ? context.NewString(CodePoints.Lower(text.Text)) : value;
}
