
namespace DeRa.Tokenization;

/// <summary>Makes one token of all (HF <c>Fuse</c>).</summary>
internal sealed class FuseDecoder : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next) => new Sink(next);

    private sealed class Sink(ITokenSink next) : ITokenSink
    {
        private bool started;

        public void Write(ReadOnlySpan<char> text, bool starts, bool ends)
        {
            next.Write(text, starts: !started, ends: false);
            started = true;
        }

        public void Complete()
        {
            next.Write("", starts: !started, ends: true);
            next.Complete();
        }
    }
}

/// <summary>Replaces every match of a pattern inside a token by a fixed text (HF <c>Replace</c>).</summary>
internal sealed class ReplaceDecoder(TextPattern pattern, string content) : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next) =>
        pattern.IsSingleUnit ? new UnitSink(pattern, content, next) : new TokenSink(pattern, content, next);

    /// <summary>One UTF-16 unit cannot straddle two parts of a token, so parts pass through as they come.</summary>
    private sealed class UnitSink(TextPattern pattern, string content, ITokenSink next) : ITokenSink
    {
        public void Write(ReadOnlySpan<char> text, bool starts, bool ends) => next.Write(pattern.Replace(text.ToString(), content), starts, ends);

        public void Complete() => next.Complete();
    }

    private sealed class TokenSink(TextPattern pattern, string content, ITokenSink next) : WholeTokenSink(next)
    {
        protected override void WriteToken(ReadOnlySpan<char> token) => Emit(pattern.Replace(token.ToString(), content));
    }
}

/// <summary>Removes up to a number of one character from the start and from the end of a token (HF <c>Strip</c>).</summary>
internal sealed class StripDecoder(int character, int start, int stop) : TokenDecoder
{
    private readonly string characterText = char.ConvertFromUtf32(character);

    public override ITokenSink Attach(ITokenSink next) =>
        stop == 0 ? new StartSink(characterText, start, next) : new TokenSink(characterText, start, stop, next);

    /// <summary>Stripping at the start alone needs no look ahead, so parts pass through as they come.</summary>
    private sealed class StartSink(string character, int start, ITokenSink next) : ITokenSink
    {
        private int left;

        public void Write(ReadOnlySpan<char> text, bool starts, bool ends)
        {
            if (starts)
                left = start;
            while (left > 0 && text.StartsWith(character, StringComparison.Ordinal))
            {
                text = text[character.Length..];
                left--;
            }
            if (!text.IsEmpty)
                left = 0;
            next.Write(text, starts, ends);
        }

        public void Complete() => next.Complete();
    }

    private sealed class TokenSink(string character, int start, int stop, ITokenSink next) : WholeTokenSink(next)
    {
        protected override void WriteToken(ReadOnlySpan<char> token)
        {
            for (int i = 0; i < start && token.StartsWith(character, StringComparison.Ordinal); i++)
                token = token[character.Length..];
            for (int i = 0; i < stop && token.EndsWith(character, StringComparison.Ordinal); i++)
                token = token[..^character.Length];
            Emit(token);
        }
    }
}

/// <summary>Writes Metaspace's mark as a space; where marks are prepended, the first token loses its marks instead (HF <c>Metaspace</c>).</summary>
internal sealed class MetaspaceDecoder(int mark, PrependScheme scheme) : TokenDecoder
{
    private readonly string markText = char.ConvertFromUtf32(mark);

    public override ITokenSink Attach(ITokenSink next) => new Sink(markText, scheme, next);

    private sealed class Sink(string mark, PrependScheme scheme, ITokenSink next) : WholeTokenSink(next)
    {
        private bool isFirst = true;

        protected override void WriteToken(ReadOnlySpan<char> token)
        {
            string replacement = isFirst && scheme != PrependScheme.Never ? "" : " ";
            isFirst = false;
            Emit(token.ToString().Replace(mark, replacement, StringComparison.Ordinal));
        }
    }
}

/// <summary>Turns the end-of-word suffix into a space, except in the last token, where it vanishes (HF <c>BPEDecoder</c>).</summary>
internal sealed class SuffixDecoder(string suffix) : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next) => new Sink(suffix, next);

    private sealed class Sink(string suffix, ITokenSink next) : WholeTokenSink(next)
    {
        private string? held;

        protected override void WriteToken(ReadOnlySpan<char> token)
        {
            EmitHeld(" ");
            held = token.ToString();
        }

        public override void Complete()
        {
            EmitHeld("");
            Next.Complete();
        }

        private void EmitHeld(string replacement)
        {
            if (held is not null)
                Emit(suffix.Length == 0 ? held : held.Replace(suffix, replacement, StringComparison.Ordinal));
        }
    }
}

/// <summary>What a tokenizer without a decoder does: tokens joined by spaces.</summary>
internal sealed class SpaceJoinDecoder : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next) => new Sink(next);

    private sealed class Sink(ITokenSink next) : WholeTokenSink(next)
    {
        private bool isFirst = true;

        protected override void WriteToken(ReadOnlySpan<char> token)
        {
            Emit(isFirst ? token : string.Concat(" ", token));
            isFirst = false;
        }
    }
}
