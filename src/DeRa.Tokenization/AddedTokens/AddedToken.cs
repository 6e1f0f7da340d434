namespace DeRa.Tokenization;

/// <summary>A token matched in the text before the model sees it (HF <c>AddedToken</c>).</summary>
/// <param name="Content">The text it stands for.</param>
/// <param name="Special">Left out when decoding with special tokens skipped.</param>
/// <param name="SingleWord">Matches only where no word character touches it.</param>
/// <param name="StripLeft">Swallows the white space before it.</param>
/// <param name="StripRight">Swallows the white space after it.</param>
/// <param name="Normalized">Matched, in normalized form, against the normalized text.</param>
internal sealed record AddedToken(
    string Content,
    bool Special = false,
    bool SingleWord = false,
    bool StripLeft = false,
    bool StripRight = false,
    bool Normalized = false);
