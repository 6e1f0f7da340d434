using System.Text;

namespace DeRa.Evaluation;

/// <summary>Lines of a UTF-8 text, strictly: bytes that are no UTF-8 are an error that names their line, not replacement characters.</summary>
public static class Utf8Lines
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads lines one by one, without their ends (LF or CRLF); a byte order mark in front is passed over.</summary>
    /// <param name="stream">The text.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="EvaluationException">Another encoding.</exception>
    public static IEnumerable<string> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var input = new BufferedStream(stream, 1 << 16);
        var line = new List<byte>();
        int number = 1;
        while (true)
        {
            int next = input.ReadByte();
            if (next is not ('\n' or -1))
            {
                line.Add((byte)next);
                continue;
            }

            if (next == -1 && line.Count == 0)
            {
                yield break;
            }

            yield return Decode(line, name, number++);
            line.Clear();
            if (next == -1)
            {
                yield break;
            }
        }
    }

    private static string Decode(List<byte> bytes, string name, int number)
    {
        ReadOnlySpan<byte> line = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        if (number == 1 && line is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            throw new EvaluationException($"{name}: expected UTF-8, found UTF-16; convert the file");
        }

        if (number == 1 && line is [0xEF, 0xBB, 0xBF, ..])
        {
            line = line[3..];
        }

        if (line is [.., (byte)'\r'])
        {
            line = line[..^1];
        }

        try
        {
            return Strict.GetString(line);
        }
        catch (DecoderFallbackException exception)
        {
            throw new EvaluationException($"{name}, line {number}: expected UTF-8, found byte 0x{exception.BytesUnknown![0]:X2} at byte {exception.Index + 1} of the line", exception);
        }
    }
}
