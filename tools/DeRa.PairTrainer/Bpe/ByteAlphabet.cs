namespace DeRa.PairTrainer.Bpe;

/// <summary>
/// The reversible byte-to-character map of byte-level BPE (introduced with GPT-2): printable bytes stand for themselves, the
/// other 68 bytes become U+0100 and up, in byte order, so every token is a visible string.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] ToChar = BuildMap();
    private static readonly Dictionary<char, byte> ToByte = ToChar.Select((c, b) => (c, b)).ToDictionary(p => p.c, p => (byte)p.b);

    /// <summary>All 256 characters, ordered by code point as tokenizer files have them.</summary>
    public static IEnumerable<char> Characters => ToChar.Order();

    /// <summary>Maps UTF-8 bytes to token characters.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        char[] characters = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
            characters[i] = ToChar[bytes[i]];
        return new string(characters);
    }

    /// <summary>Maps token characters back to UTF-8 bytes.</summary>
    public static byte[] Decode(string token) => [.. token.Select(c => ToByte[c])];

    private static char[] BuildMap()
    {
        char[] map = new char[256];
        int shifted = 0;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            map[b] = printable ? (char)b : (char)(256 + shifted++);
        }

        return map;
    }
}
