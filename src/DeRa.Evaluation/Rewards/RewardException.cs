namespace DeRa.Evaluation;

/// <summary>A reward that failed to judge a response; the message names the reward and what went wrong.</summary>
public sealed class RewardException : Exception
{
    /// <summary>With the facts.</summary>
    public RewardException(string message)
        : base(message)
    {
    }

    /// <summary>With the facts and the cause.</summary>
    public RewardException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
