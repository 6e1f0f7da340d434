using System.Runtime.CompilerServices;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>A part of the syntax tree.</summary>
internal abstract class Node(int line)
{
    /// <summary>One-based line in the source.</summary>
    public int Line { get; } = line;

    /// <summary>What error messages call it.</summary>
    public abstract string Construct { get; }

    /// <summary>Tells the frame which names this node reads and writes, in order of evaluation.</summary>
    /// <exception cref="ChatTemplateException">The tree is too deep for the stack of this thread.</exception>
    public void Declare(FrameSymbols frame)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new ChatTemplateException(Line, Construct, "nested too deeply for the stack of this thread");
        DeclareNames(frame);
    }

    protected virtual void DeclareNames(FrameSymbols frame)
    {
    }
}

internal abstract class Expression(int line) : Node(line)
{
    public Value Evaluate(RenderContext context, Scope scope)
    {
        context.EnsureStack();
        context.Visit(this);
        return EvaluateCore(context, scope);
    }

    protected abstract Value EvaluateCore(RenderContext context, Scope scope);
}

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

internal abstract class Statement(int line) : Node(line)
{
    public Flow Execute(RenderContext context, Scope scope)
    {
        context.EnsureStack();
        context.Visit(this);
        return ExecuteCore(context, scope);
    }

    protected abstract Flow ExecuteCore(RenderContext context, Scope scope);
}

/// <summary>A sequence of statements.</summary>
internal sealed class Body(IReadOnlyList<Statement> statements)
{
    public static readonly Body Empty = new([]);

    public IReadOnlyList<Statement> Statements { get; } = statements;

    public Flow Execute(RenderContext context, Scope scope)
    {
        foreach (Statement statement in Statements)
        {
            Flow flow = statement.Execute(context, scope);
            if (flow != Flow.Next)
                return flow;
        }
        return Flow.Next;
    }

    /// <summary>Runs the body and returns what it wrote.</summary>
    public string Capture(RenderContext context, Scope scope, out Flow flow)
    {
        context.BeginCapture();
        flow = Execute(context, scope);
        return context.EndCapture();
    }

    public void Declare(FrameSymbols frame)
    {
        foreach (Statement statement in Statements)
            statement.Declare(frame);
    }
}
