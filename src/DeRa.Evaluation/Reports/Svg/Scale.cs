namespace DeRa.Evaluation;

/// <summary>Maps values to pixels along one axis, with round ticks.</summary>
internal sealed class Scale
{
    private readonly double low, high, from, to;

    private Scale(double low, double high, double from, double to, IReadOnlyList<double> ticks)
    {
        (this.low, this.high, this.from, this.to, Ticks) = (low, high, from, to, ticks);
    }

    /// <summary>Values to mark, ascending.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>A scale over a range, widened to round ticks.</summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Largest value.</param>
    /// <param name="from">Pixel of the low end.</param>
    /// <param name="to">Pixel of the high end.</param>
    public static Scale Over(double low, double high, double from, double to)
    {
        if (!(high > low))
        {
            double pad = low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = (low - pad, high + pad);
        }

        double step = RoundStep((high - low) / 5);
        double first = Math.Floor((low / step) + 1e-9), last = Math.Ceiling((high / step) - 1e-9);
        return new Scale(first * step, last * step, from, to, [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => Clean((first + i) * step))]);
    }

    /// <summary>A scale whose ticks are given values, with a margin at both ends.</summary>
    public static Scale At(IReadOnlyList<double> ticks, double from, double to)
    {
        double span = ticks[^1] - ticks[0], margin = span > 0 ? span * 0.04 : 1;
        return new Scale(ticks[0] - margin, ticks[^1] + margin, from, to, Thinned(ticks));
    }

    /// <summary>The pixel of a value.</summary>
    public double Pixel(double value) => from + ((value - low) / (high - low) * (to - from));

    private static double RoundStep(double rough)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double share = rough / power;
        return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
    }

    /// <summary>Takes the dust of binary fractions off: 0.30000000000000004.</summary>
    private static double Clean(double value) => Math.Round(value, 12);

    private static double[] Thinned(IReadOnlyList<double> ticks)
    {
        int every = ((ticks.Count - 1) / 9) + 1;
        return [.. ticks.Where((_, i) => i % every == 0)];
    }
}
