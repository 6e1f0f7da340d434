namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The template itself refused its input by calling <c>raise_exception</c>; the message is the template's own, unchanged.</summary>
public sealed class ChatTemplateRaisedException : ChatTemplateException
{
    /// <summary>Creates an exception without a message.</summary>
    public ChatTemplateRaisedException()
    {
    }

    /// <summary>Creates an exception with the template's message.</summary>
    public ChatTemplateRaisedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with the template's message and a cause.</summary>
    public ChatTemplateRaisedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates an exception with the template's message and the line of the call.</summary>
    public ChatTemplateRaisedException(string message, int line)
        : base(message)
    {
        Line = line;
        Construct = "raise_exception";
    }
}
