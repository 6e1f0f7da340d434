using System.Globalization;
using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

internal sealed partial class Parser
{
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
}
