namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Builds the syntax tree of a template; the grammar is Jinja's, statements here, expressions in the other part.</summary>
internal sealed partial class Parser
{
    private readonly List<Token> _tokens;
    private readonly ChatTemplateLimits _limits;
    private readonly Stack<HashSet<string>> _usedNames = new();
    private int _position;
    private int _depth;
    private int _loopDepth;
    private int _forNesting;

    private Parser(List<Token> tokens, ChatTemplateLimits limits)
    {
        _tokens = tokens;
        _limits = limits;
    }

    private Token Current => _tokens[_position];

    /// <exception cref="ChatTemplateException">The source does not follow the grammar, or is too long or too deep.</exception>
    public static Body Parse(string source, ChatTemplateLimits limits)
    {
        if (source.Length > limits.MaxSourceLength)
            throw new ChatTemplateException(1, "template", $"{source.Length} characters exceed the limit of {limits.MaxSourceLength}");
        var parser = new Parser(Lexer.Tokenize(source), limits);
        return parser.ParseBody();
    }

    /// <summary>Parses statements up to a block that starts with one of the given names, which is left to be read.</summary>
    private Body ParseBody(params ReadOnlySpan<string> endings)
    {
        EnterNesting();
        var statements = new List<Statement>();
        while (true)
        {
            Token token = Current;
            switch (token.Kind)
            {
                case TokenKind.Data:
                    _position++;
                    statements.Add(new TextStatement(token.Line, token.Text));
                    continue;
                case TokenKind.VariableBegin:
                    _position++;
                    statements.Add(new OutputStatement(token.Line, ParseTuple()));
                    Expect(TokenKind.VariableEnd);
                    continue;
                case TokenKind.BlockBegin:
                    if (_tokens[_position + 1].Kind == TokenKind.Name && endings.Contains(_tokens[_position + 1].Text))
                    {
                        _position++;
                        LeaveNesting();
                        return new Body(statements);
                    }
                    _position++;
                    statements.Add(ParseStatement());
                    Expect(TokenKind.BlockEnd);
                    continue;
                default:
                    if (endings.Length > 0)
                        throw Error(token, $"expected {{% {string.Join(" %} or {% ", endings)} %}}, found {token}");
                    LeaveNesting();
                    return new Body(statements);
            }
        }
    }

    private Statement ParseStatement()
    {
        Token tag = ExpectName();
        switch (tag.Text)
        {
            case "if":
                return ParseIf(tag);
            case "for":
                return ParseFor(tag);
            case "set":
                return ParseSet(tag);
            case "macro":
                return ParseMacro(tag);
            case "call":
                return ParseCallBlock(tag);
            case "filter":
                return ParseFilterBlock(tag);
            case "with":
                return ParseWith(tag);
            case "block":
                return ParseBlock(tag);
            case "generation":
                return new SectionStatement(tag.Line, "generation", ParseOwnBody("endgeneration"), seesOuterScope: true);
            case "break" or "continue":
                if (_loopDepth == 0)
                    throw Error(tag, "outside of a loop");
                return new JumpStatement(tag.Line, tag.Text == "break" ? Flow.Break : Flow.Continue);
            case "print":
                return new OutputStatement(tag.Line, ParseTuple());
            case "include" or "import" or "from" or "extends":
                while (Current.Kind is not (TokenKind.BlockEnd or TokenKind.End))
                    _position++;
                return new UnsupportedStatement(tag.Line, tag.Text);
            default:
                throw new ChatTemplateException(tag.Line, $"{{% {tag.Text} %}}", "unknown or misplaced statement");
        }
    }

    private IfStatement ParseIf(Token tag)
    {
        var branches = new List<KeyValuePair<Expression, Body>>();
        Body otherwise = Body.Empty;
        while (true)
        {
            Expression test = ParseTuple(allowCondition: false);
            Expect(TokenKind.BlockEnd);
            branches.Add(KeyValuePair.Create(test, ParseBody("elif", "else", "endif")));
            Token next = ExpectName();
            if (next.Text == "elif")
                continue;
            if (next.Text == "else")
            {
                Expect(TokenKind.BlockEnd);
                otherwise = ParseBody("endif");
                _position++;
            }
            return new IfStatement(tag.Line, branches, otherwise);
        }
    }

    private ForStatement ParseFor(Token tag)
    {
        _forNesting++;
        Target target = ParseTarget(allowNamespace: false);
        ExpectName("in");
        Expression sequence = ParseTuple(allowCondition: false, endsAtRecursive: true);
        Expression? test = SkipName("if") ? ParseExpression() : null;
        bool isRecursive = SkipName("recursive");
        Expect(TokenKind.BlockEnd);
        _loopDepth++;
        Body body = ParseBody("endfor", "else");
        _loopDepth--;
        Body otherwise = Body.Empty;
        if (ExpectName().Text == "else")
        {
            Expect(TokenKind.BlockEnd);
            otherwise = ParseBody("endfor");
            _position++;
        }
        _forNesting--;
        return new ForStatement(tag.Line, target, sequence, test, isRecursive, body, otherwise);
    }

    private Statement ParseSet(Token tag)
    {
        Target target = ParseTarget(allowNamespace: true);
        if (SkipOperator("="))
            return new SetStatement(tag.Line, target, ParseTuple());
        FilterExpression? filter = null;
        if (Current.IsOperator("|"))
            filter = ParseFilters(null) as FilterExpression ?? throw Error(tag, "expected a filter");
        Expect(TokenKind.BlockEnd);
        Body body = ParseBody("endset");
        _position++;
        return new SetBlockStatement(tag.Line, target, filter, body);
    }

    private MacroStatement ParseMacro(Token tag)
    {
        string name = ExpectTargetName();
        _usedNames.Push(new HashSet<string>(StringComparer.Ordinal));
        List<KeyValuePair<string, Expression?>> parameters = ParseParameters();
        Body body = ParseOwnBody("endmacro");
        return new MacroStatement(tag.Line, new MacroDefinition(name, parameters, body, PopUsedNames()));
    }

    private CallBlockStatement ParseCallBlock(Token tag)
    {
        _usedNames.Push(new HashSet<string>(StringComparer.Ordinal));
        List<KeyValuePair<string, Expression?>> parameters = Current.IsOperator("(") ? ParseParameters() : [];
        if (ParseExpression() is not CallExpression call)
            throw Error(tag, "expected a call");
        Body body = ParseOwnBody("endcall");
        return new CallBlockStatement(tag.Line, call, new MacroDefinition("caller", parameters, body, PopUsedNames()));
    }

    /// <summary>Names used in an inner macro count as used in the macros around it.</summary>
    private HashSet<string> PopUsedNames()
    {
        HashSet<string> names = _usedNames.Pop();
        if (_usedNames.TryPeek(out HashSet<string>? outer))
            outer.UnionWith(names);
        return names;
    }

    private List<KeyValuePair<string, Expression?>> ParseParameters()
    {
        var parameters = new List<KeyValuePair<string, Expression?>>();
        ExpectOperator("(");
        while (!SkipOperator(")"))
        {
            if (parameters.Count > 0)
                ExpectOperator(",");
            string name = ExpectTargetName();
            Expression? value = SkipOperator("=") ? ParseExpression() : null;
            if (value is null && parameters.Count > 0 && parameters[^1].Value is not null)
                throw Error(Current, "non-default argument follows default argument");
            parameters.Add(KeyValuePair.Create(name, value));
        }
        return parameters;
    }

    private FilterBlockStatement ParseFilterBlock(Token tag)
    {
        if (ParseFilters(null, startInline: true) is not FilterExpression filter)
            throw Error(tag, "expected a filter");
        Expect(TokenKind.BlockEnd);
        Body body = ParseBody("endfilter");
        _position++;
        return new FilterBlockStatement(tag.Line, filter, body);
    }

    private WithStatement ParseWith(Token tag)
    {
        var assignments = new List<KeyValuePair<Target, Expression>>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (assignments.Count > 0)
                ExpectOperator(",");
            Target target = ParseTarget(allowNamespace: false);
            ExpectOperator("=");
            assignments.Add(KeyValuePair.Create(target, ParseExpression()));
        }
        _position++;
        Body body = ParseBody("endwith");
        _position++;
        return new WithStatement(tag.Line, assignments, body);
    }

    private SectionStatement ParseBlock(Token tag)
    {
        string name = ExpectName().Text;
        bool isScoped = SkipName("scoped");
        SkipName("required");
        Body body = ParseOwnBody("endblock");
        if (Current.IsName(name))
            _position++;
        return new SectionStatement(tag.Line, $"block {name}", body, isScoped);
    }

    /// <summary>Parses the body of a function of its own, out of which no loop can be left.</summary>
    private Body ParseOwnBody(string ending)
    {
        Expect(TokenKind.BlockEnd);
        int loopDepth = _loopDepth;
        _loopDepth = 0;
        Body body = ParseBody(ending);
        _loopDepth = loopDepth;
        _position++;
        return body;
    }

    /// <summary>Parses a name, a tuple of targets, or (in set) an attribute of a namespace.</summary>
    private Target ParseTarget(bool allowNamespace)
    {
        EnterNesting();
        var targets = new List<Target>();
        bool isTuple = false;
        while (true)
        {
            if (SkipOperator("("))
            {
                targets.Add(ParseTarget(allowNamespace));
                ExpectOperator(")");
            }
            else
            {
                targets.Add(ParseSingleTarget(allowNamespace));
            }
            if (!SkipOperator(","))
                break;
            isTuple = true;
            if (Current.Kind == TokenKind.BlockEnd || Current.IsOperator(")") || Current.IsOperator("="))
                break;
        }
        LeaveNesting();
        return isTuple ? new TupleTarget(targets) : targets[0];
    }

    private Target ParseSingleTarget(bool allowNamespace)
    {
        if (allowNamespace && _tokens[_position + 1].IsOperator("."))
        {
            string ns = UseName(ExpectName().Text);
            _position++;
            return new NamespaceTarget(ns, ExpectName().Text);
        }
        Token token = Current;
        var target = new NameTarget(ExpectTargetName());
        if (target.Name == "loop" && _forNesting > 0)
            throw Error(token, "'loop' cannot be assigned to inside a for loop");
        return target;
    }

    private string ExpectTargetName()
    {
        Token token = ExpectName();
        if (token.Text is "true" or "false" or "none" or "True" or "False" or "None")
            throw Error(token, "this name cannot be assigned to");
        return token.Text;
    }
}
