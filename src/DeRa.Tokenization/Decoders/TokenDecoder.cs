using System.Text;

namespace DeRa.Tokenization;

/// <summary>
/// Receives tokens, whole or in parts, in order. Decoders are chains of these, so a full decode and a streaming one run the same code:
/// the reference passes whole lists of strings from decoder to decoder, and an element of such a list may only be known bit by bit.
/// </summary>
internal interface ITokenSink
{
    /// <summary>Takes a part of a token.</summary>
    /// <param name="text">The part.</param>
    /// <param name="starts">Whether it is the token's first part.</param>
    /// <param name="ends">Whether it is the token's last part.</param>
    void Write(ReadOnlySpan<char> text, bool starts, bool ends);

    /// <summary>No token follows.</summary>
    void Complete();
}

/// <summary>One step from tokens to text (HF <c>decoder</c>). Immutable; the state of a decode lives in the sinks it makes.</summary>
internal abstract class TokenDecoder
{
    /// <summary>A fresh sink that decodes into <paramref name="next"/>.</summary>
    public abstract ITokenSink Attach(ITokenSink next);
}

/// <summary>Applies decoders in order.</summary>
internal sealed class SequenceDecoder(IReadOnlyList<TokenDecoder> parts) : TokenDecoder
{
    public override ITokenSink Attach(ITokenSink next)
    {
        for (int i = parts.Count - 1; i >= 0; i--)
            next = parts[i].Attach(next);
        return next;
    }
}

/// <summary>The end of the chain: all tokens, joined.</summary>
internal sealed class TextSink : ITokenSink
{
    private readonly StringBuilder text = new();

    public void Write(ReadOnlySpan<char> text, bool starts, bool ends) => this.text.Append(text);

    public void Complete()
    {
    }

    /// <summary>What has arrived since the last call.</summary>
    public string Take()
    {
        string taken = text.ToString();
        text.Clear();
        return taken;
    }
}

/// <summary>A sink that needs each token whole: parts are gathered first.</summary>
internal abstract class WholeTokenSink(ITokenSink next) : ITokenSink
{
    private readonly StringBuilder parts = new();

    protected ITokenSink Next { get; } = next;

    public void Write(ReadOnlySpan<char> text, bool starts, bool ends)
    {
        if (starts && ends)
        {
            WriteToken(text);
            return;
        }
        parts.Append(text);
        if (ends)
        {
            string token = parts.ToString();
            parts.Clear();
            WriteToken(token);
        }
    }

    public virtual void Complete() => Next.Complete();

    protected abstract void WriteToken(ReadOnlySpan<char> token);

    protected void Emit(ReadOnlySpan<char> token) => Next.Write(token, starts: true, ends: true);
}
