using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The state of one rendering: where it is, what it has written, and what it may still spend.</summary>
internal sealed class RenderContext(ChatTemplateLimits limits, TimeProvider clock)
{
    private const int CharsPerStep = 64;
    private const int CharsPerElement = 4;

    private readonly Stack<StringBuilder> _outer = new();
    private StringBuilder _output = new();
    private long _outputLength;
    private long _steps;
    private long _allocated;
    private int _callDepth;

    public ChatTemplateLimits Limits { get; } = limits;

    public TimeProvider Clock { get; } = clock;

    /// <summary>The node being evaluated, for error messages.</summary>
    public Node? Current { get; private set; }

    /// <summary>The outermost scope, which blocks see instead of the scope around them.</summary>
    public Scope Globals { get; set; } = new(null);

    public void Visit(Node node)
    {
        Current = node;
        if (++_steps > Limits.MaxSteps)
            throw Exhausted("steps", Limits.MaxSteps);
    }

    /// <summary>Names a node as the one at fault once its operands have been evaluated.</summary>
    public void At(Node node) => Current = node;

    /// <summary>Charges work that is linear in a number of characters or elements.</summary>
    public void Work(long amount)
    {
        _steps += 1 + (amount / CharsPerStep);
        if (_steps > Limits.MaxSteps)
            throw Exhausted("steps", Limits.MaxSteps);
    }

    public void Step()
    {
        if (++_steps > Limits.MaxSteps)
            throw Exhausted("steps", Limits.MaxSteps);
    }

    /// <summary>Charges a string before it is built.</summary>
    public void AllocateString(long length)
    {
        if (length > Limits.MaxStringLength)
            throw Error($"a string of {length} characters exceeds the limit of {Limits.MaxStringLength}");
        _allocated += length;
        if (_allocated > Limits.MaxAllocation)
            throw Exhausted("allocation", Limits.MaxAllocation);
        Work(length);
    }

    /// <summary>Charges a list before it is built.</summary>
    public void AllocateList(long count)
    {
        if (count > Limits.MaxAllocation / CharsPerElement)
            throw Exhausted("allocation", Limits.MaxAllocation);
        _allocated += count * CharsPerElement;
        if (_allocated > Limits.MaxAllocation)
            throw Exhausted("allocation", Limits.MaxAllocation);
        Work(count);
    }

    public void EnterCall()
    {
        if (++_callDepth > Limits.MaxCallDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error($"nested deeper than the limit of {Limits.MaxCallDepth}");
    }

    public void LeaveCall() => _callDepth--;

    public void EnsureStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error("nested too deeply for the stack of this thread");
    }

    public void Write(string text)
    {
        _outputLength += text.Length;
        if (_outputLength > Limits.MaxOutputLength)
            throw Error($"the output exceeds the limit of {Limits.MaxOutputLength} characters");
        _output.Append(text);
    }

    /// <summary>Starts collecting output into a string instead.</summary>
    public void BeginCapture()
    {
        _outer.Push(_output);
        _output = new StringBuilder();
    }

    public string EndCapture()
    {
        AllocateString(_output.Length);
        _outputLength -= _output.Length;
        string text = _output.ToString();
        _output = _outer.Pop();
        return text;
    }

    public string TakeOutput() => _output.ToString();

    public StringValue NewString(string text, bool isMarkup = false)
    {
        AllocateString(text.Length);
        return new StringValue(text, isMarkup);
    }

    public ListValue NewList(List<Value> items)
    {
        AllocateList(items.Count);
        return new ListValue(items);
    }

    public IntValue NewInt(BigInteger value)
    {
        long bits = value.GetBitLength();
        if (bits > Limits.MaxIntegerBits)
            throw Error($"an integer of {bits} bits exceeds the limit of {Limits.MaxIntegerBits}");
        if (bits > CharsPerStep)
            Work(bits * 2);
        return new IntValue(value);
    }

    public ChatTemplateException Error(string problem) =>
        new(Current?.Line ?? 1, Current?.Construct ?? "template", problem);

    public ChatTemplateException Undefined(UndefinedValue value) => Error(value.Problem);

    private ChatTemplateException Exhausted(string budget, long limit) =>
        Error($"the template exceeds its budget of {limit} ({budget})");
}
