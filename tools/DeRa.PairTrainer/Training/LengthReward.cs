using DeRa.PairTrainer.Bpe;

namespace DeRa.PairTrainer.Training;

/// <summary>
/// The reward of the paper's length experiment (section 5.2): 0 when the response has 40 to 50 tokens, −1 otherwise. The end token is not counted.
/// </summary>
internal static class LengthReward
{
    /// <summary>Fewest tokens of a rewarded response.</summary>
    public const int Minimum = 40;

    /// <summary>Most tokens of a rewarded response.</summary>
    public const int Maximum = 50;

    /// <summary>The reward of a response with or without its end token.</summary>
    public static double Score(int[] response) => Length(response) is >= Minimum and <= Maximum ? 0 : -1;

    /// <summary>Tokens of a response, the end token not counted.</summary>
    public static int Length(int[] response) => response.Length > 0 && response[^1] == SpecialTokens.EndId ? response.Length - 1 : response.Length;
}
