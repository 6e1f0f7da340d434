namespace DeRa.Evaluation;

/// <summary>A mean over prompts and how well it is known.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Low">Lower end of its interval.</param>
/// <param name="High">Upper end of its interval.</param>
/// <param name="StandardError">Standard deviation of the mean over resamples.</param>
public readonly record struct Estimate(double Mean, double Low, double High, double StandardError)
{
    /// <summary>Whether a value lies within the interval, ends included.</summary>
    public bool Covers(double value) => value >= Low && value <= High;
}
