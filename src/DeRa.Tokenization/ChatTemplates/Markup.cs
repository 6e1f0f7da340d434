namespace DeRa.Tokenization.ChatTemplates;

/// <summary>HTML escaping, as the <c>escape</c> filter does it.</summary>
internal static class Markup
{
    public static string Escape(RenderContext context, string text)
    {
        context.Work(text.Length);
        string escaped = text
            .Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace("'", "&#39;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal);
        context.AllocateString(escaped.Length);
        return escaped;
    }
}
