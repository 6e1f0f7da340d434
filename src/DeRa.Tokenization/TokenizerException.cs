namespace DeRa.Tokenization;

/// <summary>
/// A tokenizer file that cannot be used as it stands: unreadable, malformed, or asking for a component this library does not have.
/// The message names the file, the field, what was expected and what was found.
/// </summary>
public sealed class TokenizerException : Exception
{
    /// <summary>Creates an exception without details.</summary>
    public TokenizerException()
    {
    }

    /// <summary>Creates an exception with a complete message.</summary>
    public TokenizerException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with a complete message and the fault behind it.</summary>
    public TokenizerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the usual form: <c>file: field: expected X, found Y</c>.</summary>
    public TokenizerException(string file, string field, string expected, string found)
        : base($"{file}: {field}: expected {expected}, found {found}")
    {
        File = file;
        Field = field;
    }

    /// <summary>The file at fault, where one is known.</summary>
    public string? File { get; }

    /// <summary>The path of the field inside the file, where one is known.</summary>
    public string? Field { get; }
}
