using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.PairTrainer.Bpe;

/// <summary>
/// Cuts text where merges must not cross: contractions, words with their leading space, numbers, other marks, white space. This is the
/// pattern behind <c>"use_regex": true</c> of a ByteLevel pre-tokenizer.
/// </summary>
internal static partial class PreTokenizer
{
    /// <summary>The pieces of a text in byte-level characters.</summary>
    public static IEnumerable<string> Split(string text) =>
        Pattern().Matches(text).Select(match => ByteAlphabet.Encode(Encoding.UTF8.GetBytes(match.Value)));

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
