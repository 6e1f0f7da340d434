namespace DeRa.Engine;

/// <summary>A request that cannot be served; the message names the field, what was expected and what was found.</summary>
public sealed class RequestException : Exception
{
    /// <summary>With the facts.</summary>
    public RequestException(string message)
        : base(message)
    {
    }

    /// <summary>With the facts and the cause.</summary>
    public RequestException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
