using System.Text.Json;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Tokenization.Tests.ChatTemplates;

/// <summary>Shared ways to render a template in a test.</summary>
internal static class TemplateCases
{
    /// <summary>Renders a template with variables given as a JSON object.</summary>
    public static string Render(string template, string variables = "{}", TimeProvider? clock = null, ChatTemplateLimits? limits = null) =>
        ChatTemplate.Parse(template, limits).Render(Input(variables, clock));

    public static ChatTemplateInput Input(string variables, TimeProvider? clock = null)
    {
        using var document = JsonDocument.Parse(variables);
        JsonElement root = document.RootElement;
        using var empty = JsonDocument.Parse("[]");
        var input = new ChatTemplateInput(root.TryGetProperty("messages", out JsonElement messages) ? messages : empty.RootElement);
        if (clock is not null)
            input.Clock = clock;
        foreach (JsonProperty variable in root.EnumerateObject())
            input.Set(variable.Name, variable.Value);
        return input;
    }
}
