namespace DeRa.Tokenization.ChatTemplates;

/// <summary>A chat template that cannot be parsed or rendered; the message names the line and the construct at fault.</summary>
public class ChatTemplateException : FormatException
{
    /// <summary>Creates an exception without a message.</summary>
    public ChatTemplateException()
    {
    }

    /// <summary>Creates an exception with a message that is already complete.</summary>
    public ChatTemplateException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with a message and its cause.</summary>
    public ChatTemplateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates an exception for a construct at a line of the template.</summary>
    public ChatTemplateException(int line, string construct, string problem)
        : base($"chat template, line {line}, {construct}: {problem}")
    {
        Line = line;
        Construct = construct;
    }

    /// <summary>One-based line of the template where it went wrong; null where no line is to blame.</summary>
    public int? Line { get; protected init; }

    /// <summary>The construct at fault, such as <c>filter 'upper'</c>; null where none is known.</summary>
    public string? Construct { get; protected init; }
}
