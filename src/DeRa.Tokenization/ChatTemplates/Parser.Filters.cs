namespace DeRa.Tokenization.ChatTemplates;

internal sealed partial class Parser
{
    /// <summary>Filters, tests and calls of their results; <paramref name="startInline"/> where the first filter has no bar before it.</summary>
    private Expression ParseFilters(Expression? expression, bool startInline = false)
    {
        for (int chain = 1; ; chain++)
        {
            CheckDepth(_depth + chain);
            int line = Current.Line;
            if (startInline || SkipOperator("|"))
            {
                startInline = false;
                string name = ParseDottedName();
                ArgumentList arguments = Current.IsOperator("(") ? ParseArguments() : ArgumentList.None;
                expression = new FilterExpression(line, expression, name, arguments);
            }
            else if (expression is not null && SkipName("is"))
            {
                expression = ParseTest(expression, line);
            }
            else if (expression is not null && Current.IsOperator("("))
            {
                expression = new CallExpression(line, expression, ParseArguments());
            }
            else
            {
                return expression!;
            }
        }
    }

    private TestExpression ParseTest(Expression target, int line)
    {
        bool negated = SkipName("not");
        string name = ParseDottedName();
        ArgumentList arguments = ArgumentList.None;
        if (Current.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (StartsTestArgument())
        {
            if (Current.IsName("is"))
                throw Error(Current, "tests cannot be chained with 'is'");
            EnterNesting();
            arguments = new ArgumentList([ParsePostfix(ParsePrimary())], [], null, null);
            LeaveNesting();
        }
        return new TestExpression(line, target, name, arguments, negated);
    }

    private bool StartsTestArgument() => Current.Kind switch
    {
        TokenKind.Name => Current.Text is not ("else" or "or" or "and"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        TokenKind.Operator => Current.Text is "(" or "[" or "{",
        _ => false,
    };

    private string ParseDottedName()
    {
        string name = ExpectName().Text;
        while (SkipOperator("."))
            name += "." + ExpectName().Text;
        return name;
    }
}
