using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace DeRa.Tokenization;

/// <summary>
/// Reads each run of <c>&lt;0xNN&gt;</c> tokens as UTF-8; a run that is not valid becomes one U+FFFD per byte, valid characters in it
/// included (HF <c>ByteFallback</c>).
/// </summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next) => new Sink(next);

    /// <summary>A run is kept back until it is over: only then is it known whether it is valid, and text once streamed cannot be withdrawn.</summary>
    private sealed class Sink(ITokenSink next) : WholeTokenSink(next)
    {
        private readonly List<byte> run = [];

        protected override void WriteToken(ReadOnlySpan<char> token)
        {
            if (TryReadByte(token, out byte value))
            {
                run.Add(value);
                return;
            }
            EndRun();
            Emit(token);
        }

        public override void Complete()
        {
            EndRun();
            Next.Complete();
        }

        private void EndRun()
        {
            if (run.Count == 0)
                return;
            byte[] bytes = [.. run];
            run.Clear();
            if (Utf8.IsValid(bytes))
            {
                Emit(Encoding.UTF8.GetString(bytes));
                return;
            }
            for (int i = 0; i < bytes.Length; i++)
                Emit("\uFFFD");
        }

        private static bool TryReadByte(ReadOnlySpan<char> token, out byte value)
        {
            value = 0;
            return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
                && (byte.TryParse(token[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
                    || TryReadSigned(token[3..5], out value));
        }

        /// <summary>Rust's integer parser, and so the reference, also admits a plus sign: "+A" is 10.</summary>
        private static bool TryReadSigned(ReadOnlySpan<char> digits, out byte value)
        {
            value = 0;
            return digits[0] == '+'
                && byte.TryParse(digits[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        }
    }
}
