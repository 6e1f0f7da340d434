using System.Runtime.CompilerServices;

namespace DeRa.Tokenization.ChatTemplates;

internal sealed partial class Parser
{
    private string UseName(string name)
    {
        if (_usedNames.TryPeek(out HashSet<string>? names))
            names.Add(name);
        return name;
    }

    private void Expect(TokenKind kind)
    {
        if (Current.Kind != kind)
            throw Error(Current, $"expected {new Token(kind, "", 0)}, found {Current}");
        _position++;
    }

    private Token ExpectName()
    {
        if (Current.Kind != TokenKind.Name)
            throw Error(Current, $"expected a name, found {Current}");
        return _tokens[_position++];
    }

    private void ExpectName(string name)
    {
        if (!SkipName(name))
            throw Error(Current, $"expected '{name}', found {Current}");
    }

    private void ExpectOperator(string op)
    {
        if (!SkipOperator(op))
            throw Error(Current, $"expected '{op}', found {Current}");
    }

    private bool SkipName(string name)
    {
        if (!Current.IsName(name))
            return false;
        _position++;
        return true;
    }

    private bool SkipOperator(string op)
    {
        if (!Current.IsOperator(op))
            return false;
        _position++;
        return true;
    }

    private void EnterNesting()
    {
        CheckDepth(++_depth);
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error(Current, "nested too deeply for the stack of this thread");
    }

    private void LeaveNesting() => _depth--;

    private void CheckDepth(int depth)
    {
        if (depth > _limits.MaxSyntaxDepth)
            throw Error(Current, $"nested deeper than the limit of {_limits.MaxSyntaxDepth}");
    }

    private static ChatTemplateException Error(Token token, string problem) => new(token.Line, $"near {token}", problem);
}
