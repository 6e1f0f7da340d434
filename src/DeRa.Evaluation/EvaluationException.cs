namespace DeRa.Evaluation;

/// <summary>A setting or a file of an evaluation that cannot be used; the message names it, what was expected and what was found.</summary>
public sealed class EvaluationException : Exception
{
    /// <summary>With the facts.</summary>
    public EvaluationException(string message)
        : base(message)
    {
    }

    /// <summary>With the facts and the cause.</summary>
    public EvaluationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
