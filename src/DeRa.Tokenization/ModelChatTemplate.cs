using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Tokenization;

/// <summary>
/// A model's chat template with the special tokens that it may name, from tokenizer_config.json and chat_template.jinja; the tokenizer itself is
/// not needed.
/// </summary>
public sealed class ModelChatTemplate
{
    private readonly ChatTemplate template;
    private readonly IReadOnlyDictionary<string, string> specialTokens;

    private ModelChatTemplate(ChatTemplate template, IReadOnlyDictionary<string, string> specialTokens)
    {
        this.template = template;
        this.specialTokens = specialTokens;
    }

    /// <summary>Loads a folder's template; null where it has none.</summary>
    /// <exception cref="TokenizerException">A configuration file is malformed.</exception>
    /// <exception cref="ChatTemplateException">The template cannot be parsed.</exception>
    public static ModelChatTemplate? LoadIfPresent(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        TokenizerConfig config = TokenizerConfig.Read(folder);
        return config.ChatTemplates.TryGetValue(TokenizerConfig.DefaultTemplate, out string? source)
            ? new ModelChatTemplate(ChatTemplate.Parse(source), config.SpecialTokens)
            : null;
    }

    /// <summary>Renders a conversation. Variables that <paramref name="addVariables"/> sets win over the special tokens of the same name.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the conversation or exceeds its bounds.</exception>
    public string Render(ChatTemplateInput input, Action<ChatTemplateInput>? addVariables = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        foreach ((string name, string token) in specialTokens)
        {
            input.Set(name, token);
        }

        addVariables?.Invoke(input);
        return template.Render(input);
    }
}
