using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Filters over sequences as a whole.</summary>
internal static partial class Filters
{
    private static void AddSequences(Dictionary<string, Filter> filters)
    {
        filters["length"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "length");
            return new IntValue(PythonSequences.Length(context, value));
        };
        filters["count"] = filters["length"];
        filters["first"] = First;
        filters["last"] = Last;
        filters["list"] = (context, value, arguments) =>
        {
            arguments.BindNothing(context, "list");
            return new ListValue(PythonSequences.ToList(context, value));
        };
        filters["join"] = Join;
        filters["reverse"] = Reverse;
        filters["sort"] = Sort;
        filters["unique"] = Unique;
        filters["dictsort"] = DictSort;
        filters["items"] = Items;
        filters["groupby"] = GroupBy;
        filters["batch"] = Batch;
        filters["slice"] = Slice;
    }

    private static Value First(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "first");
        foreach (Value item in PythonSequences.Iterate(context, value))
            return item;
        return new UndefinedValue("No first item, sequence was empty.");
    }

    private static Value Last(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "last");
        if (value is UndefinedValue)
            return new UndefinedValue("No last item, sequence was empty.");
        if (value is StringValue or SequenceValue or RangeValue)
            return PythonSequences.ItemAt(context, value, -1) ?? new UndefinedValue("No last item, sequence was empty.");
        if (value is DictValue or DictViewValue)
            return PythonSequences.Iterate(context, value).LastOrDefault() ?? new UndefinedValue("No last item, sequence was empty.");
        throw context.Error($"'{value.TypeName}' object is not reversible");
    }

    private static StringValue Join(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "join", 0, "d", "attribute");
        string separator = bound[0] is null ? "" : PythonText.Str(context, bound[0]!);
        Func<Value, Value> read = AttributeReader(context, bound[1]);
        var result = new StringBuilder();
        bool first = true;
        foreach (Value item in PythonSequences.Iterate(context, value))
        {
            if (!first)
                result.Append(separator);
            first = false;
            string part = PythonText.Str(context, read(item));
            result.Append(part);
            context.Work(separator.Length + part.Length);
            StringMethods.CheckLength(context, result);
        }
        return context.NewString(result.ToString());
    }

    private static Value Reverse(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "reverse");
        if (value is StringValue)
            return PythonSequences.Slice(context, value, NoneValue.Instance, NoneValue.Instance, new IntValue(-1));
        if (PythonSequences.TryIterate(context, value) is null)
            throw context.Error("argument must be iterable");
        List<Value> items = PythonSequences.ToList(context, value);
        items.Reverse();
        return new IteratorValue(items, "list_reverseiterator");
    }

    private static ListValue Sort(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "sort", 0, "reverse", "case_sensitive", "attribute");
        bool ignoreCase = !context.Flag(bound[1]);
        Func<Value, Value> key;
        if (bound[2] is StringValue { Text: var attributes } && attributes.Contains(',', StringComparison.Ordinal))
        {
            Func<Value, Value>[] readers =
                [.. attributes.Split(',').Select(attribute => AttributeReader(context, new StringValue(attribute), ignoreCase: ignoreCase))];
            key = item => new TupleValue([.. readers.Select(read => read(item))]);
        }
        else
        {
            key = AttributeReader(context, bound[2], ignoreCase: ignoreCase);
        }
        return new ListValue(Sorting.Sort(context, PythonSequences.ToList(context, value), key, context.Flag(bound[0])));
    }

    private static IteratorValue Unique(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "unique", 0, "case_sensitive", "attribute");
        Func<Value, Value> key = AttributeReader(context, bound[1], ignoreCase: !context.Flag(bound[0]));
        return new IteratorValue(Distinct());

        IEnumerable<Value> Distinct()
        {
            var seen = new HashSet<Value>(ValueComparer.Instance);
            foreach (Value item in PythonSequences.Iterate(context, value))
            {
                if (!seen.Add(PythonOperators.Hashable(context, key(item))))
                    continue;
                context.AllocateList(1);
                yield return item;
            }
        }
    }

    private static ListValue DictSort(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "dictsort", 0, "case_sensitive", "by", "reverse");
        string by = bound[1] is null ? "key" : context.Text(bound[1], "by");
        if (by is not ("key" or "value"))
            throw context.Error("You can only sort by either \"key\" or \"value\"");
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        if (value is not DictValue dict)
            throw context.Error($"'{value.TypeName}' object has no attribute 'items'");
        bool ignoreCase = !context.Flag(bound[0]);
        List<Value> pairs = [.. PythonSequences.ViewItems(new DictViewValue(dict, DictViewKind.Items))];
        return new ListValue(Sorting.Sort(context, pairs, Key, context.Flag(bound[2])));

        Value Key(Value pair)
        {
            Value part = ((TupleValue)pair).Items[by == "key" ? 0 : 1];
            return ignoreCase ? FoldCase(context, part) : part;
        }
    }

    private static IteratorValue Items(RenderContext context, Value value, Arguments arguments)
    {
        arguments.BindNothing(context, "items");
        return new IteratorValue(Pairs());

        IEnumerable<Value> Pairs()
        {
            if (value is UndefinedValue)
                yield break;
            if (value is not DictValue dict)
                throw context.Error("Can only get item pairs from a mapping.");
            foreach (Value pair in PythonSequences.ViewItems(new DictViewValue(dict, DictViewKind.Items)))
                yield return pair;
        }
    }

    private static ListValue GroupBy(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "groupby", 1, "attribute", "default", "case_sensitive");
        bool ignoreCase = !context.Flag(bound[2]);
        Value? missing = bound[1] is NoneValue ? null : bound[1];
        Func<Value, Value> read = AttributeReader(context, bound[0], missing);
        Func<Value, Value> key = AttributeReader(context, bound[0], missing, ignoreCase);
        List<Value> sorted = Sorting.Sort(context, PythonSequences.ToList(context, value), key, reverse: false);
        var groups = new List<Value>();
        for (int from = 0, to; from < sorted.Count; from = to)
        {
            Value first = key(sorted[from]);
            for (to = from + 1; to < sorted.Count && PythonOperators.Equals(context, key(sorted[to]), first);)
                to++;
            groups.Add(new GroupValue(read(sorted[from]), new ListValue(sorted[from..to])));
        }
        return context.NewList(groups);
    }

    private static IteratorValue Batch(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "batch", 1, "linecount", "fill_with");
        int size = context.Int(bound[0], 0, "linecount");
        return new IteratorValue(Batches());

        IEnumerable<Value> Batches()
        {
            var batch = new List<Value>();
            foreach (Value item in PythonSequences.Iterate(context, value))
            {
                if (batch.Count == size)
                {
                    yield return context.NewList(batch);
                    batch = [];
                }
                batch.Add(item);
            }
            if (batch.Count == 0)
                yield break;
            if (bound[1] is not (null or NoneValue) && batch.Count < size)
            {
                context.AllocateList(size);
                batch.AddRange(Enumerable.Repeat(bound[1]!, size - batch.Count));
            }
            yield return context.NewList(batch);
        }
    }

    private static IteratorValue Slice(RenderContext context, Value value, Arguments arguments)
    {
        Value?[] bound = arguments.Bind(context, "slice", 1, "slices", "fill_with");
        int slices = context.Int(bound[0], 0, "slices");
        return new IteratorValue(Columns());

        IEnumerable<Value> Columns()
        {
            List<Value> items = PythonSequences.ToList(context, value);
            if (slices == 0)
                throw context.Error("integer division or modulo by zero");
            int perSlice = items.Count / slices;
            int longer = items.Count % slices;
            int from = 0;
            for (int i = 0; i < slices; i++)
            {
                context.Step();
                int count = perSlice + (i < longer ? 1 : 0);
                List<Value> column = items.GetRange(from, count);
                from += count;
                if (bound[1] is not (null or NoneValue) && i >= longer)
                    column.Add(bound[1]!);
                yield return context.NewList(column);
            }
        }
    }
}
