namespace DeRa.Models.Tests;

/// <summary>Comparison of logits.</summary>
internal static class Close
{
    /// <summary>Every value finite and within the tolerance; the message names the worst one.</summary>
    public static void Within(double tolerance, IReadOnlyList<float> actual, IReadOnlyList<double> expected, string what)
    {
        Assert.That(actual, Has.Count.EqualTo(expected.Count), what);
        double worst = 0;
        int at = 0;
        for (int i = 0; i < actual.Count; i++)
        {
            if (!float.IsFinite(actual[i])) Assert.Fail($"{what}: value {i} is {actual[i]}");
            double distance = Math.Abs(actual[i] - expected[i]);
            if (distance > worst) (worst, at) = (distance, i);
        }

        Assert.That(worst, Is.LessThanOrEqualTo(tolerance), $"{what}: value {at} of {actual.Count}: got {actual[at]}, expected {expected[at]}");
    }

    public static void Within(double tolerance, IReadOnlyList<float> actual, float[] expected, string what) =>
        Within(tolerance, actual, [.. expected.Select(v => (double)v)], what);
}
