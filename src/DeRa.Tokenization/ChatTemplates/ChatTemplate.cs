namespace DeRa.Tokenization.ChatTemplates;

/// <summary>
/// A chat template as Hugging Face models carry it: Jinja2 in an immutable sandbox, with <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop
/// controls, <c>raise_exception</c>, <c>strftime_now</c> and Hugging Face's <c>tojson</c>. An interpreter of its own walks the syntax
/// tree; it uses no reflection and stops at the bounds of <see cref="ChatTemplateLimits"/>. Instances are immutable and thread-safe.
/// Source: <c>_compile_jinja_template</c> in transformers/utils/chat_template_utils.py.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Body _body;
    private readonly IReadOnlyList<string> _hidden;
    private readonly ChatTemplateLimits _limits;

    private ChatTemplate(string source, Body body, ChatTemplateLimits limits)
    {
        Source = source;
        _body = body;
        _limits = limits;
        _hidden = FrameSymbols.Analyze(null, body.Declare);
    }

    /// <summary>The text the template was parsed from.</summary>
    public string Source { get; }

    /// <summary>Parses a template.</summary>
    /// <param name="source">The template's text.</param>
    /// <param name="limits">What parsing and each rendering may cost; the defaults where null.</param>
    /// <exception cref="ChatTemplateException">The text is not a template; the message names line and construct.</exception>
    public static ChatTemplate Parse(string source, ChatTemplateLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        limits ??= ChatTemplateLimits.Default;
        return new ChatTemplate(source, Parser.Parse(source, limits), limits);
    }

    /// <summary>Renders a conversation into the text of a prompt.</summary>
    /// <exception cref="ChatTemplateRaisedException">The template called <c>raise_exception</c>.</exception>
    /// <exception cref="ChatTemplateException">The template failed or exceeded a limit; the message names line and construct.</exception>
    public string Render(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var context = new RenderContext(_limits, input.Clock);
        var globals = new Scope(null);
        GlobalFunctions.Define(globals);
        foreach ((string name, Value value) in input.ToValues())
            globals.Set(name, value);
        var scope = new Scope(globals);
        scope.Declare(_hidden);
        context.Globals = scope;
        _body.Execute(context, scope);
        return context.TakeOutput();
    }
}
