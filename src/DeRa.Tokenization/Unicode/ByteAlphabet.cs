using System.Text;

namespace DeRa.Tokenization;

/// <summary>
/// GPT-2's byte alphabet: each byte has one visible character, so that any byte string is text without spaces or controls
/// (openai/gpt-2 <c>encoder.py</c>, <c>bytes_to_unicode</c>).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = BuildCharacters();
    private static readonly short[] Bytes = BuildBytes();

    public static string Spell(ReadOnlySpan<char> text)
    {
        byte[] utf8 = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, utf8);
        ExpansionLimit.Check(utf8.Length);
        return string.Create(utf8.Length, utf8, static (target, bytes) =>
        {
            for (int i = 0; i < bytes.Length; i++)
                target[i] = Characters[bytes[i]];
        });
    }

    public static bool TryGetByte(char character, out byte value)
    {
        int found = character < Bytes.Length ? Bytes[character] : -1;
        value = (byte)found;
        return found >= 0;
    }

    /// <summary>Printable Latin-1 bytes stand for themselves, the others, in order, for U+0100 and up.</summary>
    private static char[] BuildCharacters()
    {
        char[] characters = new char[256];
        char spare = '\u0100';
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = printable ? (char)value : spare++;
        }
        return characters;
    }

    private static short[] BuildBytes()
    {
        short[] bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
            bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
