namespace DeRa.Tokenization.ChatTemplates;

internal sealed partial class Parser
{
    private static readonly string[] ComparisonOperators = ["==", "!=", "<", "<=", ">", ">="];

    private Expression ParseExpression()
    {
        EnterNesting();
        Expression expression = ParseCondition();
        LeaveNesting();
        return expression;
    }

    /// <summary>Parses one expression, or several with commas between as a tuple.</summary>
    private Expression ParseTuple(bool allowCondition = true, bool endsAtRecursive = false, bool isParenthesized = false)
    {
        EnterNesting();
        int line = Current.Line;
        var items = new List<Expression>();
        bool isTuple = false;
        while (!IsTupleEnd(endsAtRecursive))
        {
            items.Add(allowCondition ? ParseCondition() : ParseOr());
            if (!SkipOperator(","))
                break;
            isTuple = true;
        }
        LeaveNesting();
        if (!isTuple && items.Count == 1)
            return items[0];
        if (items.Count == 0 && !isParenthesized)
            throw Error(Current, $"expected an expression, found {Current}");
        return new SequenceExpression(line, items, isList: false);
    }

    private bool IsTupleEnd(bool endsAtRecursive) =>
        Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd
        || Current.IsOperator(")")
        || (endsAtRecursive && Current.IsName("recursive"));

    private Expression ParseCondition()
    {
        int line = Current.Line;
        Expression value = ParseOr();
        for (int chain = 1; SkipName("if"); chain++)
        {
            CheckDepth(_depth + chain);
            Expression test = ParseOr();
            Expression? otherwise = SkipName("else") ? ParseExpression() : null;
            value = new ConditionalExpression(line, test, value, otherwise);
        }
        return value;
    }

    private Expression ParseOr()
    {
        int line = Current.Line;
        var operands = new List<Expression> { ParseAnd() };
        while (SkipName("or"))
            operands.Add(ParseAnd());
        return operands.Count == 1 ? operands[0] : new LogicalExpression(line, isAnd: false, operands);
    }

    private Expression ParseAnd()
    {
        int line = Current.Line;
        var operands = new List<Expression> { ParseNot() };
        while (SkipName("and"))
            operands.Add(ParseNot());
        return operands.Count == 1 ? operands[0] : new LogicalExpression(line, isAnd: true, operands);
    }

    private Expression ParseNot()
    {
        int line = Current.Line;
        if (!SkipName("not"))
            return ParseComparison();
        EnterNesting();
        Expression operand = ParseNot();
        LeaveNesting();
        return new UnaryExpression(line, "not", operand);
    }

    private Expression ParseComparison()
    {
        int line = Current.Line;
        Expression first = ParseSum();
        var rest = new List<KeyValuePair<string, Expression>>();
        while (true)
        {
            string? op = null;
            if (Current.Kind == TokenKind.Operator && ComparisonOperators.Contains(Current.Text))
                op = _tokens[_position++].Text;
            else if (SkipName("in"))
                op = "in";
            else if (Current.IsName("not") && _tokens[_position + 1].IsName("in"))
                op = "not in";
            if (op is null)
                return rest.Count == 0 ? first : new CompareExpression(line, first, rest);
            if (op == "not in")
                _position += 2;
            rest.Add(KeyValuePair.Create(op, ParseSum()));
        }
    }

    private Expression ParseSum() => ParseLeftAssociative(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        int line = Current.Line;
        var operands = new List<Expression> { ParseProduct() };
        while (SkipOperator("~"))
            operands.Add(ParseProduct());
        return operands.Count == 1 ? operands[0] : new ConcatenateExpression(line, operands);
    }

    private Expression ParseProduct() => ParseLeftAssociative(ParsePower, "*", "/", "//", "%");

    /// <summary>Jinja's power operator groups to the left, unlike Python's.</summary>
    private Expression ParsePower() => ParseLeftAssociative(() => ParseUnary(), "**");

    private Expression ParseLeftAssociative(Func<Expression> operand, params ReadOnlySpan<string> operators)
    {
        int line = Current.Line;
        Expression left = operand();
        for (int chain = 1; Current.Kind == TokenKind.Operator && operators.Contains(Current.Text); chain++)
        {
            CheckDepth(_depth + chain);
            string op = _tokens[_position++].Text;
            left = new BinaryExpression(line, op, left, operand());
        }
        return left;
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        int line = Current.Line;
        Expression expression;
        if (Current.IsOperator("-") || Current.IsOperator("+"))
        {
            string op = _tokens[_position++].Text;
            EnterNesting();
            expression = new UnaryExpression(line, op, ParseUnary(withFilters: false));
            LeaveNesting();
        }
        else
        {
            expression = ParsePrimary();
        }
        expression = ParsePostfix(expression);
        return withFilters ? ParseFilters(expression) : expression;
    }
}
