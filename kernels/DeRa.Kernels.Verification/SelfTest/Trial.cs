using System.Globalization;

namespace DeRa.Kernels.Verification;

/// <summary>One run of a check: the set under test, the naive one beside it, the data, and the verdict so far.</summary>
internal sealed class Trial(KernelSet set, NaiveKernelSet naive, TestData data, double factor)
{
    private double worstRatio = -1, worstError, worstTolerance;
    private string message = "";

    public TestData Data { get; } = data;

    public KernelSet Set { get; } = set;

    /// <summary>The yardstick beside it.</summary>
    public KernelSet Naive { get; } = naive;

    /// <summary>
    /// Activations that the set multiplies by the weight as they are: rounded beforehand to the type that it would round them to, so that the same
    /// tolerance holds for every set. <see cref="LinearChecks"/> checks the rounding itself.
    /// </summary>
    public float[,] Operand(float[,] values, HostWeight weight) => OperandRounding.Round(values, Set.ProjectionType(weight.Shape(Set)));

    /// <summary>Runs the program on both sets and compares every element with the oracle.</summary>
    /// <param name="what">The output's name.</param>
    /// <param name="expected">The oracle's answer.</param>
    /// <param name="program">Uploads, enqueues, runs and reads [rows, columns].</param>
    public void Compare(string what, Expected expected, Func<Workbench, float[,]> program)
    {
        (float[,] got, float[,] reference) = Both(program);
        for (int row = 0; row < expected.Rows; row++)
        {
            for (int column = 0; column < expected.Columns; column++)
            {
                Check(
                    what, row, column, expected.Value[row, column], reference[row, column], got[row, column], expected.Epsilon[row, column]);
            }
        }
    }

    /// <summary>Runs the program on the set under test and on the naive one.</summary>
    public (T Got, T Reference) Both<T>(Func<Workbench, T> program)
    {
        using var candidate = new Workbench(Set);
        using var plain = new Workbench(naive);
        return (program(candidate), program(plain));
    }

    /// <summary>|gt − got| ≤ c·|gt − ref| + ε; a NaN passes only where the oracle says NaN, an infinity only where it is the oracle's.</summary>
    public void Check(string what, int row, int column, double expected, double reference, double got, double epsilon)
    {
        double error = Math.Abs(expected - got), off = Math.Abs(expected - reference);
        double tolerance = factor * (double.IsFinite(off) ? off : 0) + epsilon;
        if (got.Equals(expected))
        {
            error = 0;
        }
        else if (!double.IsFinite(got) || !double.IsFinite(expected))
        {
            error = double.PositiveInfinity;
        }

        double ratio = error == 0 ? 0 : error / tolerance;
        if (ratio > worstRatio)
        {
            (worstRatio, worstError, worstTolerance) = (ratio, error, tolerance);
        }

        if (ratio > 1)
        {
            Fail(string.Create(
                CultureInfo.InvariantCulture,
                $"{what}[{row}, {column}]: expected {expected:G9}, got {got:G9}, error {error:G3} above {tolerance:G3}"));
        }
    }

    /// <summary>A fact that holds exactly.</summary>
    public void Require(bool holds, string what)
    {
        if (!holds)
        {
            Fail(what);
        }
    }

    /// <summary>Keeps the first failure.</summary>
    public void Fail(string what) => message = message.Length == 0 ? what : message;

    public SelfTestResult Result(string operation, string name) => new(
        operation, name, message.Length == 0, message.Length > 0 && worstRatio < 0 ? double.NaN : worstError, worstTolerance, message);
}
