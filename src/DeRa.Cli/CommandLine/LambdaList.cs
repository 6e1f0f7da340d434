using System.CommandLine;
using System.Globalization;

namespace DeRa.Cli.CommandLine;

/// <summary>The <c>--lambda</c> flag: one value, a list <c>0,0.5,1</c>, or a range <c>0:2:0.25</c> with its end included.</summary>
internal static class LambdaList
{
    /// <summary>More values than anybody compares; a typing slip in a range step should not fill the memory.</summary>
    private const int MaxValues = 1000;

    public static Option<string> Option(string defaultValue) => new("--lambda")
    {
        Description = "Realignment strength: 0 is the reference, 1 the aligned model, more extrapolates. A value, a list 0,0.5,1 or a range 0:2:0.25",
        DefaultValueFactory = _ => defaultValue,
        HelpName = "LIST",
    };

    public static float[] Parse(string text)
    {
        var values = new List<float>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] range = part.Split(':');
            if (range.Length == 3)
            {
                AddRange(values, Number(range[0], text), Number(range[1], text), Number(range[2], text), text);
            }
            else if (range.Length == 1)
            {
                values.Add((float)Number(part, text));
            }
            else
            {
                throw Bad(text, part);
            }
        }

        return [.. values];
    }

    private static void AddRange(List<float> values, double from, double to, double step, string text)
    {
        double count = Math.Floor(((to - from) / step) + 1e-6) + 1;
        if (!(step != 0 && count >= 1 && count <= MaxValues))
        {
            throw new InputException($"--lambda {text}: expected a range from:to:step of 1 to {MaxValues} values");
        }

        for (int i = 0; i < (int)count; i++)
        {
            values.Add((float)(from + (i * step)));
        }
    }

    private static double Number(string part, string text) =>
        double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value : throw Bad(text, part);

    private static InputException Bad(string text, string part) =>
        new($"--lambda {text}: expected a finite number, a list 0,0.5,1 or a range 0:2:0.25, found '{part}'");
}
