namespace DeRa.Engine.Execution;

/// <summary>
/// Passes text through until one of the stop texts appears, and holds back any tail that could still become one, so that a caller never sees
/// part of a stop text.
/// </summary>
internal sealed class StopTextFilter(IReadOnlyList<string> stopTexts)
{
    private string held = "";

    /// <summary>Whether a stop text was found; nothing passes after it.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Adds text and returns what is certain to be output.</summary>
    public string Append(string text)
    {
        if (Stopped)
        {
            return "";
        }

        if (stopTexts.Count == 0)
        {
            return text;
        }

        held += text;
        int cut = -1;
        foreach (string stop in stopTexts)
        {
            int at = held.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (cut < 0 || at < cut))
            {
                cut = at;
            }
        }

        Stopped = cut >= 0;
        int safe = Stopped ? cut : held.Length - LongestPartialStop();
        string passed = held[..safe];
        held = Stopped ? "" : held[safe..];
        return passed;
    }

    /// <summary>What was held back, once no more text comes.</summary>
    public string Flush()
    {
        string rest = held;
        held = "";
        return rest;
    }

    /// <summary>Length of the longest end of the held text that begins a stop text.</summary>
    private int LongestPartialStop()
    {
        int longest = 0;
        foreach (string stop in stopTexts)
        {
            for (int length = Math.Min(stop.Length - 1, held.Length); length > longest; length--)
            {
                if (held.AsSpan(held.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
