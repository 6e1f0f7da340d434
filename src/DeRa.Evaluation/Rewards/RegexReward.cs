using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Evaluation;

/// <summary>
/// 1 for a response in which a pattern matches, else 0. Patterns run by .NET's automaton in time linear in the response, which no pattern can make
/// explode; those with constructs it lacks (look-around, back-references) run with backtracking under a time limit.
/// </summary>
public sealed class RegexReward : PureReward
{
    private readonly Regex regex;
    private readonly TimeSpan timeout;

    /// <summary>A pattern in .NET's syntax.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="timeout">Longest time for one response.</param>
    /// <exception cref="EvaluationException">The pattern is malformed.</exception>
    public RegexReward(string pattern, TimeSpan timeout)
        : base("regex:" + pattern)
    {
        this.timeout = timeout;
        try
        {
            regex = Compile(pattern, timeout);
        }
        catch (ArgumentException exception)
        {
            throw new EvaluationException($"reward {Name}: expected a regular expression, found a malformed one: {exception.Message}", exception);
        }
    }

    /// <inheritdoc />
    public override double Score(RewardSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        try
        {
            return regex.IsMatch(sample.Response) ? 1 : 0;
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new RewardException(
                string.Create(CultureInfo.InvariantCulture, $"reward {Name}: no answer within {timeout.TotalSeconds} s on the response to prompt {sample.PromptId} at λ = {sample.Lambda}; write the pattern without nested repetition"),
                exception);
        }
    }

    private static Regex Compile(string pattern, TimeSpan timeout)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, timeout);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, timeout);
        }
    }
}
