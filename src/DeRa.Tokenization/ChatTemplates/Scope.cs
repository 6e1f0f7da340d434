namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The variables of one frame (template, loop pass, macro call, with, block) and the frame around it.</summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, Value?> _variables = new(StringComparer.Ordinal);

    public Value Get(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables.TryGetValue(name, out Value? value))
                return value ?? UndefinedValue.Variable(name);
        }
        return UndefinedValue.Variable(name);
    }

    public Scope? Parent { get; } = parent;

    public void Set(string name, Value value) => _variables[name] = value;

    /// <summary>
    /// Hides outer variables of these names until they are set. Jinja decides at compile time which frame owns a name:
    /// one that a frame sets before it reads it belongs to that frame from its start.
    /// </summary>
    public void Declare(IReadOnlyList<string> names)
    {
        foreach (string name in names)
            _variables.TryAdd(name, null);
    }
}
