namespace DeRa.Tokenization;

/// <summary>Rewrites text before it is split (HF <c>normalizer</c>).</summary>
internal abstract class Normalizer
{
    public abstract string Normalize(string text);
}
