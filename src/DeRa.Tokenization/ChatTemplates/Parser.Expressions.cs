using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

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

    private Expression ParsePrimary()
    {
        Token token = _tokens[_position];
        switch (token.Kind)
        {
            case TokenKind.Name:
                _position++;
                return ParseNameOrConstant(token);
            case TokenKind.String:
                var text = new System.Text.StringBuilder();
                while (Current.Kind == TokenKind.String)
                    text.Append(_tokens[_position++].Text);
                return new ConstantExpression(token.Line, new StringValue(text.ToString()));
            case TokenKind.Integer:
                _position++;
                return new ConstantExpression(token.Line, new IntValue(ParseInteger(token)));
            case TokenKind.Float:
                _position++;
                return new ConstantExpression(token.Line, new FloatValue(double.Parse(token.Text, CultureInfo.InvariantCulture)));
            case TokenKind.Operator when token.Text == "(":
                _position++;
                Expression tuple = ParseTuple(isParenthesized: true);
                ExpectOperator(")");
                return tuple;
            case TokenKind.Operator when token.Text == "[":
                return ParseList();
            case TokenKind.Operator when token.Text == "{":
                return ParseDict();
            default:
                throw Error(token, $"expected an expression, found {token}");
        }
    }

    private Expression ParseNameOrConstant(Token token) => token.Text switch
    {
        "true" or "True" => new ConstantExpression(token.Line, BoolValue.True),
        "false" or "False" => new ConstantExpression(token.Line, BoolValue.False),
        "none" or "None" => new ConstantExpression(token.Line, NoneValue.Instance),
        _ => new NameExpression(token.Line, UseName(token.Text)),
    };

    private BigInteger ParseInteger(Token token)
    {
        string text = token.Text;
        // Four bits a digit is more than a decimal digit holds, and what a hexadecimal one does.
        if (text.Length * 4L > _limits.MaxIntegerBits)
            throw Error(token, $"an integer of {text.Length} digits exceeds the limit of {_limits.MaxIntegerBits} bits");
        if (text.Length < 3 || char.IsAsciiDigit(text[1]))
            return BigInteger.Parse(text, CultureInfo.InvariantCulture);
        int numberBase = char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
        BigInteger number = BigInteger.Zero;
        foreach (char digit in text.AsSpan(2))
            number = (number * numberBase) + Convert.ToInt32(digit.ToString(), 16);
        return number;
    }

    private SequenceExpression ParseList()
    {
        int line = _tokens[_position++].Line;
        var items = new List<Expression>();
        while (!Current.IsOperator("]"))
        {
            items.Add(ParseExpression());
            if (!SkipOperator(","))
                break;
        }
        ExpectOperator("]");
        return new SequenceExpression(line, items, isList: true);
    }

    private DictExpression ParseDict()
    {
        int line = _tokens[_position++].Line;
        var items = new List<KeyValuePair<Expression, Expression>>();
        while (!Current.IsOperator("}"))
        {
            Expression key = ParseExpression();
            ExpectOperator(":");
            items.Add(KeyValuePair.Create(key, ParseExpression()));
            if (!SkipOperator(","))
                break;
        }
        ExpectOperator("}");
        return new DictExpression(line, items);
    }

    /// <summary>Attributes, subscripts and calls.</summary>
    private Expression ParsePostfix(Expression expression)
    {
        for (int chain = 1; ; chain++)
        {
            CheckDepth(_depth + chain);
            int line = Current.Line;
            if (SkipOperator("."))
                expression = ParseAttribute(expression, line);
            else if (SkipOperator("["))
                expression = ParseSubscript(expression, line);
            else if (Current.IsOperator("("))
                expression = new CallExpression(line, expression, ParseArguments());
            else
                return expression;
        }
    }

    private Expression ParseAttribute(Expression target, int line)
    {
        Token name = _tokens[_position++];
        return name.Kind switch
        {
            TokenKind.Name => new AttributeExpression(line, target, name.Text),
            TokenKind.Integer => new ItemExpression(line, target, new ConstantExpression(line, new IntValue(ParseInteger(name)))),
            _ => throw Error(name, $"expected a name or number after '.', found {name}"),
        };
    }

    private Expression ParseSubscript(Expression target, int line)
    {
        if (SkipOperator("]"))
            return new ItemExpression(line, target, new SequenceExpression(line, [], isList: false));
        Expression? start = Current.IsOperator(":") ? null : ParseExpression();
        if (SkipOperator(":"))
        {
            Expression? stop = IsSliceEnd() ? null : ParseExpression();
            Expression? step = SkipOperator(":") && !IsSliceEnd() ? ParseExpression() : null;
            ExpectOperator("]");
            return new SliceExpression(line, target, start, stop, step);
        }
        var keys = new List<Expression> { start! };
        while (SkipOperator(","))
            keys.Add(ParseExpression());
        ExpectOperator("]");
        return new ItemExpression(line, target, keys.Count == 1 ? keys[0] : new SequenceExpression(line, keys, isList: false));
    }

    private bool IsSliceEnd() => Current.IsOperator("]") || Current.IsOperator(":");

    private ArgumentList ParseArguments()
    {
        ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<KeyValuePair<string, Expression>>();
        Expression? star = null;
        Expression? doubleStar = null;
        bool any = false;
        while (!Current.IsOperator(")"))
        {
            if (any)
                ExpectOperator(",");
            any = true;
            if (Current.IsOperator(")"))
                break;
            Token token = Current;
            if (SkipOperator("**"))
            {
                RequireOrder(token, doubleStar is null);
                doubleStar = ParseExpression();
            }
            else if (SkipOperator("*"))
            {
                RequireOrder(token, star is null && doubleStar is null);
                star = ParseExpression();
            }
            else if (token.Kind == TokenKind.Name && _tokens[_position + 1].IsOperator("="))
            {
                RequireOrder(token, doubleStar is null && named.All(argument => argument.Key != token.Text));
                _position += 2;
                named.Add(KeyValuePair.Create(token.Text, ParseExpression()));
            }
            else
            {
                RequireOrder(token, star is null && doubleStar is null && named.Count == 0);
                positional.Add(ParseExpression());
            }
        }
        ExpectOperator(")");
        return new ArgumentList(positional, named, star, doubleStar);
    }

    private static void RequireOrder(Token token, bool condition)
    {
        if (!condition)
            throw Error(token, "invalid order or repetition of call arguments");
    }

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
