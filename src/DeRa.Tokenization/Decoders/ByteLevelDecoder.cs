using System.Text;

namespace DeRa.Tokenization;

/// <summary>Reads tokens spelled in GPT-2's byte alphabet as bytes, and all the bytes as UTF-8 (HF <c>ByteLevel</c>).</summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next) => new Sink(next);

    /// <summary>Everything becomes one token; bytes that may still become a character are kept back until the next token or the end.</summary>
    private sealed class Sink(ITokenSink next) : WholeTokenSink(next)
    {
        private readonly Decoder utf8 = Encoding.UTF8.GetDecoder();
        private bool started;

        protected override void WriteToken(ReadOnlySpan<char> token)
        {
            byte[] bytes = new byte[token.Length];
            int count = 0;
            while (count < token.Length && ByteAlphabet.TryGetByte(token[count], out bytes[count]))
                count++;
            // A token with any character outside the alphabet (an added token) is taken literally.
            if (count < token.Length)
                bytes = Encoding.UTF8.GetBytes(token.ToString());
            Decode(bytes, ends: false);
        }

        public override void Complete()
        {
            Decode([], ends: true);
            Next.Complete();
        }

        private void Decode(ReadOnlySpan<byte> bytes, bool ends)
        {
            char[] text = new char[utf8.GetCharCount(bytes, flush: ends)];
            int length = utf8.GetChars(bytes, text, flush: ends);
            if (length > 0 || ends)
                Next.Write(text.AsSpan(0, length), starts: !started, ends);
            started |= length > 0;
        }
    }
}
