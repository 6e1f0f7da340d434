namespace DeRa.Kernels.Verification;

/// <summary>One check of one operation; data is made when it runs, the same every time.</summary>
public sealed class SelfTestCase
{
    private readonly Action<Trial> body;

    internal SelfTestCase(string operation, string name, Action<Trial> body)
    {
        Operation = operation;
        Name = name;
        this.body = body;
    }

    /// <summary>Operation of the contract.</summary>
    public string Operation { get; }

    /// <summary>Shapes, dtypes and options.</summary>
    public string Name { get; }

    /// <inheritdoc />
    public override string ToString() => $"{Operation}: {Name}";

    /// <summary>Runs the check on a set. What the set throws is reported as a failure.</summary>
    /// <param name="set">The set under test.</param>
    /// <param name="factor">
    /// c of |gt − kernel| ≤ c·|gt − ref| + ε: a kernel may be as far off as twice what the naive order of operations was. 0 tests against ε alone.
    /// </param>
    public SelfTestResult Run(KernelSet set, double factor = 2)
    {
        ArgumentNullException.ThrowIfNull(set);
        using var naive = new NaiveKernelSet();
        var trial = new Trial(set, naive, new TestData(ToString()), factor);
        try
        {
            body(trial);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            trial.Fail($"{error.GetType().Name}: {error.Message}");
        }

        return trial.Result(Operation, Name);
    }
}
