using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace DeRa.Tokenization;

/// <summary>
/// The Unicode normalization forms (UAX #15) over tables of our own: the engine runs with invariant globalization, where
/// <see cref="string.Normalize(NormalizationForm)"/> returns its input unchanged, and machines may have no ICU at all.
/// </summary>
internal static class UnicodeNormalization
{
    // The tables are of Unicode 9, as the reference's are: text means the same ids to a model however old its tokenizer's Unicode is.
    // Hangul syllables compose by arithmetic (The Unicode Standard, section 3.12).
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Trails = 28, Syllables = Leads * Vowels * Trails;

    /// <summary>No character below this one changes under any form, except that the compatibility forms change some from U+00A0.</summary>
    private const char FirstAffected = '\u00A0';

    public static string Normalize(string text, NormalizationForm form)
    {
        if (text.AsSpan().IndexOfAnyInRange(FirstAffected, char.MaxValue) < 0)
            return text;
        NormalizationTables tables = NormalizationTables.Instance;
        bool compatible = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        List<int> codePoints = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            Decompose(tables, rune.Value, compatible, codePoints);
        Order(tables, codePoints);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC)
            Compose(tables, codePoints);
        StringBuilder result = new(codePoints.Count);
        foreach (int codePoint in codePoints)
            CodePoints.Append(result, codePoint);
        return result.ToString();
    }

    private static void Decompose(NormalizationTables tables, int codePoint, bool compatible, List<int> target)
    {
        int syllable = codePoint - SyllableBase;
        if (syllable is >= 0 and < Syllables)
        {
            target.Add(LeadBase + (syllable / (Vowels * Trails)));
            target.Add(VowelBase + (syllable % (Vowels * Trails) / Trails));
            if (syllable % Trails != 0)
                target.Add(TrailBase + (syllable % Trails));
        }
        else if (tables.TryDecompose(codePoint, compatible, out int[]? parts))
        {
            foreach (int part in parts)
                Decompose(tables, part, compatible, target);
        }
        else
        {
            target.Add(codePoint);
        }
    }

    /// <summary>Sorts each run of combining marks by combining class, keeping equals in order.</summary>
    private static void Order(NormalizationTables tables, List<int> codePoints)
    {
        for (int start = 0; start < codePoints.Count; start++)
        {
            if (tables.CombiningClass(codePoints[start]) == 0)
                continue;
            int end = start + 1;
            while (end < codePoints.Count && tables.CombiningClass(codePoints[end]) != 0)
                end++;
            if (end - start > 1)
            {
                int[] sorted = [.. codePoints[start..end].OrderBy(tables.CombiningClass)];
                for (int i = 0; i < sorted.Length; i++)
                    codePoints[start + i] = sorted[i];
            }
            start = end;
        }
    }

    /// <summary>Joins each mark with the starter before it, where nothing between them has the same or a higher class.</summary>
    private static void Compose(NormalizationTables tables, List<int> codePoints)
    {
        int written = 0;
        int starter = -1;
        int lastClass = -1;
        for (int i = 0; i < codePoints.Count; i++)
        {
            int codePoint = codePoints[i];
            int combiningClass = tables.CombiningClass(codePoint);
            bool reaches = starter >= 0 && (lastClass < combiningClass || lastClass == -1);
            if (reaches && TryCompose(tables, codePoints[starter], codePoint, out int composite))
            {
                codePoints[starter] = composite;
                continue;
            }
            if (combiningClass == 0)
                (starter, lastClass) = (written, -1);
            else
                lastClass = combiningClass;
            codePoints[written++] = codePoint;
        }
        codePoints.RemoveRange(written, codePoints.Count - written);
    }

    private static bool TryCompose(NormalizationTables tables, int first, int second, out int composite)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
        {
            composite = SyllableBase + (((lead * Vowels) + vowel) * Trails);
            return true;
        }
        int syllable = first - SyllableBase;
        int trail = second - TrailBase;
        if (syllable is >= 0 and < Syllables && syllable % Trails == 0 && trail is > 0 and < Trails)
        {
            composite = first + trail;
            return true;
        }
        return tables.TryCompose(first, second, out composite);
    }
}

/// <summary>Combining classes, decompositions and compositions, read once from the embedded NormalizationData.txt.</summary>
internal sealed class NormalizationTables
{
    private static readonly Lazy<NormalizationTables> Shared = new(() => new NormalizationTables());

    private readonly Dictionary<int, byte> classes = [];
    private readonly Dictionary<int, int[]> canonical = [];
    private readonly Dictionary<int, int[]> compatibility = [];
    private readonly Dictionary<(int First, int Second), int> composites = [];

    private NormalizationTables()
    {
        using Stream stream = typeof(NormalizationTables).Assembly.GetManifestResourceStream("NormalizationData.txt")!;
        using StreamReader reader = new(stream, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            string[] fields = line.Split(' ');
            if (fields[0] != "#")
                Add(fields[0], fields[1].EndsWith('*'), Array.ConvertAll(fields[1..], Hex));
        }
    }

    public static NormalizationTables Instance => Shared.Value;

    public int CombiningClass(int codePoint) => classes.GetValueOrDefault(codePoint);

    public bool TryDecompose(int codePoint, bool compatible, [NotNullWhen(true)] out int[]? parts) =>
        canonical.TryGetValue(codePoint, out parts) || (compatible && compatibility.TryGetValue(codePoint, out parts));

    public bool TryCompose(int first, int second, out int composite) => composites.TryGetValue((first, second), out composite);

    private void Add(string kind, bool excluded, int[] values)
    {
        switch (kind)
        {
            case "C":
                for (int codePoint = values[0]; codePoint <= values[1]; codePoint++)
                    classes[codePoint] = (byte)values[2];
                break;
            case "K":
                compatibility[values[0]] = values[1..];
                break;
            default:
                canonical[values[0]] = values[1..];
                if (!excluded)
                    composites[(values[1], values[2])] = values[0];
                break;
        }
    }

    private static int Hex(string field) => int.Parse(field.AsSpan().TrimEnd('*'), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
