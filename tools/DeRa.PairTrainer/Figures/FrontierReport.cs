using System.Globalization;
using System.Text;

namespace DeRa.PairTrainer.Figures;

/// <summary>
/// Tables and plots of series over λ: reward, KL from the pair's reference, the frontier of the two, and the distribution of lengths. The first series is the
/// one that others are compared with, prompt by prompt where both have a λ.
/// </summary>
internal sealed class FrontierReport(IReadOnlyList<Series> series, string title, string rewardName)
{
    private const int LengthBin = 5;

    /// <summary>Writes PREFIX.csv, PREFIX-reward.svg, PREFIX-kl.svg, PREFIX-frontier.svg and PREFIX-lengths.csv.</summary>
    public void Write(string prefix)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(prefix))!);
        File.WriteAllText(prefix + ".csv", Csv());
        File.WriteAllText(prefix + "-lengths.csv", Lengths());
        File.WriteAllText(prefix + "-reward.svg", Plot("λ", rewardName, point => point.Lambda, point => point.Rewards));
        File.WriteAllText(prefix + "-kl.svg", Plot("λ", "KL from the reference, nats a response", point => point.Lambda, point => point.Kls));
        File.WriteAllText(
            prefix + "-frontier.svg", Plot("KL from the reference, nats a response", rewardName, point => point.Kls.Average(), point => point.Rewards));
    }

    /// <summary>A line per series and λ: means with intervals, and differences from the first series with intervals.</summary>
    public string Csv()
    {
        StringBuilder csv = new("series,lambda,prompts,reward,reward_low,reward_high,kl,kl_low,kl_high,tokens,tokens_low,tokens_high,"
            + "reward_difference,reward_difference_low,reward_difference_high,kl_difference,kl_difference_low,kl_difference_high\n");
        foreach (Series one in series)
        {
            foreach (SeriesPoint point in one.Points)
            {
                csv.Append(CultureInfo.InvariantCulture, $"{one.Name},{point.Lambda},{point.Prompts.Length},{Row(point.Rewards)},{Row(point.Kls)},{Row(point.Lengths)}");
                SeriesPoint? other = ReferenceEquals(one, series[0]) ? null : Array.Find(series[0].Points, p => p.Lambda == point.Lambda);
                csv.Append(other is null
                    ? ",,,,,,"
                    : $",{Row(Difference(point, other, p => p.Rewards))},{Row(Difference(point, other, p => p.Kls))}").Append('\n');
            }
        }

        return csv.ToString();
    }

    /// <summary>A line per series, λ and five tokens of length: the share of samples.</summary>
    public string Lengths()
    {
        StringBuilder csv = new("series,lambda,from,share\n");
        foreach (Series one in series)
        {
            foreach (SeriesPoint point in one.Points)
            {
                foreach (IGrouping<int, int> bin in point.SampleLengths.GroupBy(length => length / LengthBin * LengthBin).OrderBy(g => g.Key))
                    csv.Append(CultureInfo.InvariantCulture, $"{one.Name},{point.Lambda},{bin.Key},{(double)bin.Count() / point.SampleLengths.Length:F4}\n");
            }
        }

        return csv.ToString();
    }

    private static double[] Difference(SeriesPoint point, SeriesPoint other, Func<SeriesPoint, double[]> figure)
    {
        if (!point.Prompts.SequenceEqual(other.Prompts))
            throw new InvalidDataException(FormattableString.Invariant($"λ = {point.Lambda}: the series have other prompts"));
        return [.. figure(point).Zip(figure(other), (x, y) => x - y)];
    }

    private static string Row(double[] values)
    {
        Interval interval = Bootstrap.Mean(values);
        return string.Create(CultureInfo.InvariantCulture, $"{interval.Mean:F4},{interval.Low:F4},{interval.High:F4}");
    }

    private string Plot(string xLabel, string yLabel, Func<SeriesPoint, double> x, Func<SeriesPoint, double[]> y) =>
        new LinePlot(title, xLabel, yLabel).Render([.. series.Select((one, i) => new PlotCurve(
            one.Name,
            [.. one.Points.Select(point =>
            {
                Interval interval = Bootstrap.Mean(y(point));
                return new PlotPoint(x(point), interval.Mean, interval.Low, interval.High);
            })],
            Joined: i == 0 || one.Points.Length > 6))]);
}
