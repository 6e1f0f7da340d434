using System.Globalization;

namespace DeRa.Benchmarks;

/// <summary>Figures for people, three digits each.</summary>
public static class Figures
{
    private const string None = "–";

    /// <summary>Seconds as s, ms or µs.</summary>
    public static string Time(double? seconds) => seconds switch
    {
        null => None,
        >= 1 => $"{Digits(seconds.Value)} s",
        >= 1e-3 => $"{Digits(seconds.Value * 1e3)} ms",
        _ => $"{Digits(seconds.Value * 1e6)} µs",
    };

    /// <summary>A rate or amount with a decimal prefix, as in 25.3 GB/s.</summary>
    public static string Rate(double? value, string unit) => value switch
    {
        null => None,
        >= 1e12 => $"{Digits(value.Value / 1e12)} T{unit}",
        >= 1e9 => $"{Digits(value.Value / 1e9)} G{unit}",
        >= 1e6 => $"{Digits(value.Value / 1e6)} M{unit}",
        >= 1e3 => $"{Digits(value.Value / 1e3)} k{unit}",
        _ => $"{Digits(value.Value)} {unit}",
    };

    /// <summary>A number per second, four digits, without an exponent.</summary>
    public static string PerSecond(double? value) =>
        value is { } number ? number.ToString(number >= 1000 ? "F0" : "G4", CultureInfo.InvariantCulture) : None;

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double? share) => share is { } value ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:F0} %") : None;

    /// <summary>What fusion gains: the ratio of medians and what the spread allows to say.</summary>
    public static string Gain(FusionGain? gain) => gain switch
    {
        null => "",
        { Verdict: FusionVerdict.Faster } => $"{Ratio(gain.Speedup)} naive",
        { Verdict: FusionVerdict.Slower } => $"{Ratio(gain.Speedup)} naive: slower",
        _ => $"{Ratio(gain.Speedup)} naive: within the spread",
    };

    private static string Ratio(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:F2} ×");

    private static string Digits(double value) => value.ToString(value >= 100 ? "F0" : value >= 10 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
