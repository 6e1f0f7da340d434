using System.Globalization;

namespace DeRa.Evaluation;

/// <summary>
/// 0 for a response whose number of tokens lies in a range, −1 for any other: the reward of the paper's length experiment (section 5.2). The token that
/// ends a response does not count.
/// </summary>
public sealed class LengthReward : PureReward
{
    private readonly int least, most;

    /// <summary>A range of lengths, both ends included.</summary>
    public LengthReward(int least, int most)
        : base(string.Create(CultureInfo.InvariantCulture, $"length:{least}-{most}"))
    {
        ArgumentOutOfRangeException.ThrowIfNegative(least);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, least);
        this.least = least;
        this.most = most;
    }

    /// <inheritdoc />
    public override double Score(RewardSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return sample.ResponseTokens.Count >= least && sample.ResponseTokens.Count <= most ? 0 : -1;
    }

    /// <summary>Reads <c>40-50</c>.</summary>
    /// <exception cref="EvaluationException">Another form.</exception>
    public static LengthReward Parse(string range)
    {
        ArgumentNullException.ThrowIfNull(range);
        string[] ends = range.Split('-');
        return ends.Length == 2
            && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int least)
            && int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out int most)
            && least <= most
            ? new LengthReward(least, most)
            : throw new EvaluationException($"reward length:{range}: expected a range of token counts as in length:40-50");
    }
}
