using System.Threading.Channels;

namespace DeRa.Engine.Execution;

/// <summary>The events of a request's samples on their way to its caller; it ends when all samples have. Written by the engine's thread alone.</summary>
internal sealed class EventStream(int samples)
{
    private readonly Channel<TokenEvent> channel = Channel.CreateUnbounded<TokenEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private int open = samples;

    public ChannelReader<TokenEvent> Reader => channel.Reader;

    public void Write(TokenEvent token)
    {
        channel.Writer.TryWrite(token);
        if (token.Finish is not null && --open == 0)
        {
            channel.Writer.TryComplete();
        }
    }

    public void Fail(Exception exception) => channel.Writer.TryComplete(exception);
}
