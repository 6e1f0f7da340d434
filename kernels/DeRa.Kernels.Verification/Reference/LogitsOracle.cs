namespace DeRa.Kernels.Verification;

/// <summary>One model's logits z = cap(hidden · outputᵀ + bias) over the first <c>vocabulary</c> rows of the output projection.</summary>
public static class LogitsOracle
{
    /// <summary>ε: that of the projection (<see cref="LinearOracle"/>) and of the cap (<see cref="SoftCapOracle"/>).</summary>
    /// <param name="hidden">[rows, hidden].</param>
    /// <param name="output">[vocab or more, hidden].</param>
    /// <param name="bias">[vocab or more], or null.</param>
    /// <param name="softCap">c, or null.</param>
    /// <param name="vocabulary">Entries to compute.</param>
    public static Expected Compute(double[,] hidden, double[,] output, double[]? bias, double? softCap, int vocabulary)
    {
        var used = new double[vocabulary, output.GetLength(1)];
        Array.Copy(output, used, used.Length);
        Expected raw = LinearOracle.Compute(hidden, used, bias, residual: null);
        if (softCap is not { } cap)
        {
            return raw;
        }

        Expected capped = SoftCapOracle.Compute(raw.Value, cap);
        return Expected.Of(raw.Rows, vocabulary, (t, v) => (capped.Value[t, v], capped.Epsilon[t, v] + raw.Epsilon[t, v]));
    }
}
