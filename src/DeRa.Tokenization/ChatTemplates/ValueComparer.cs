namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Equality and hashes of dict keys; only keys that <see cref="IsHashable"/> accepts may be looked up.</summary>
internal sealed class ValueComparer : IEqualityComparer<Value>
{
    public static readonly ValueComparer Instance = new();

    /// <summary>Deepest nesting of tuples as a key; deeper ones count as unhashable.</summary>
    private const int MaxKeyDepth = 8;

    public static bool IsHashable(Value value, int depth = 0) => value switch
    {
        ListValue or DictValue => false,
        SequenceValue tuple => depth < MaxKeyDepth && tuple.Items.Count < 1024 && tuple.Items.All(item => IsHashable(item, depth + 1)),
        _ => true,
    };

    public bool Equals(Value? x, Value? y)
    {
        if (ReferenceEquals(x, y))
            return true;
        switch (x, y)
        {
            case (StringValue left, StringValue right):
                return string.Equals(left.Text, right.Text, StringComparison.Ordinal);
            case (UndefinedValue, UndefinedValue):
                return true;
            case (TupleValue left, TupleValue right):
                return left.Items.SequenceEqual(right.Items, this);
            case (null, _) or (_, null):
                return false;
            default:
                return PythonNumbers.TryCompare(x, y, out int order) && order == 0;
        }
    }

    public int GetHashCode(Value obj)
    {
        switch (obj)
        {
            case StringValue text:
                return string.GetHashCode(text.Text, StringComparison.Ordinal);
            case UndefinedValue:
                return 1;
            case TupleValue tuple:
                var hash = new HashCode();
                foreach (Value item in tuple.Items)
                    hash.Add(item, this);
                return hash.ToHashCode();
            default:
                return PythonNumbers.TryGetDouble(obj, out double number) ? number.GetHashCode() : System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj);
        }
    }
}
