namespace DeRa.Models.Tests.Reference;

/// <summary>The operations of the oracle in float64, one row of a jagged array per token.</summary>
internal static class HfOps
{
    /// <summary>x·Wᵀ + b with W [out, in], or [in, out] when <paramref name="transposed"/> (Conv1D).</summary>
    public static double[][] Linear(double[][] x, Tensor w, Tensor? bias = null, bool transposed = false)
    {
        int outputs = w.Shape[transposed ? 1 : 0], inputs = w.Shape[transposed ? 0 : 1];
        return Map(x, row =>
        {
            var y = new double[outputs];
            for (int o = 0; o < outputs; o++)
            {
                double sum = bias?.Data[o] ?? 0;
                for (int i = 0; i < inputs; i++) sum += row[i] * w.Data[transposed ? (i * outputs) + o : (o * inputs) + i];
                y[o] = sum;
            }

            return y;
        });
    }

    /// <summary>x / √(mean(x²) + ε) · (gain + offset).</summary>
    public static double[][] Rms(double[][] x, Tensor gain, double epsilon, double offset = 0) => Map(x, row =>
    {
        double inverse = 1 / Math.Sqrt(row.Average(v => v * v) + epsilon);
        return [.. row.Select((v, i) => v * inverse * (gain.Data[i] + offset))];
    });

    /// <summary>(x − mean) / √(var + ε) · gain + bias.</summary>
    public static double[][] LayerNorm(double[][] x, Tensor gain, Tensor bias, double epsilon) => Map(x, row =>
    {
        double mean = row.Average();
        double inverse = 1 / Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + epsilon);
        return [.. row.Select((v, i) => ((v - mean) * inverse * gain.Data[i]) + bias.Data[i])];
    });

    /// <summary>Rms of every head by itself (Qwen3).</summary>
    public static double[][] HeadRms(double[][] x, int headDim, Tensor gain, double epsilon) =>
        Map(x, row => [.. row.Chunk(headDim).SelectMany(head => Rms([head], gain, epsilon)[0])]);

    /// <summary>Rotates the leading elements of every head: (x_i, x_{i+r/2}) by p·ω_i, scaled by the factor.</summary>
    public static double[][] Rotate(double[][] x, int headDim, (double[] InverseFrequencies, double Factor) rope) => [.. x.Select((row, p) =>
    {
        double[] y = [.. row];
        int half = rope.InverseFrequencies.Length;
        for (int head = 0; head < row.Length; head += headDim)
        {
            for (int i = 0; i < half; i++)
            {
                double c = Math.Cos(p * rope.InverseFrequencies[i]) * rope.Factor, s = Math.Sin(p * rope.InverseFrequencies[i]) * rope.Factor;
                y[head + i] = (row[head + i] * c) - (row[head + i + half] * s);
                y[head + i + half] = (row[head + i + half] * c) + (row[head + i] * s);
            }
        }

        return y;
    })];

    /// <summary>softmax(cap(scale·q·k))·v over the last <paramref name="window"/> positions; kv heads repeated to the query heads.</summary>
    public static double[][] Attend(double[][] q, double[][] k, double[][] v, int headDim, double scale, int? window = null, double? cap = null)
    {
        int heads = q[0].Length / headDim, group = heads / (k[0].Length / headDim);
        return [.. q.Select((query, p) =>
        {
            var y = new double[query.Length];
            for (int h = 0; h < heads; h++)
            {
                int at = h * headDim, kvAt = h / group * headDim;
                int first = window is int w ? Math.Max(0, p - w + 1) : 0;
                var scores = new double[p + 1 - first];
                for (int j = first; j <= p; j++)
                {
                    double dot = 0;
                    for (int i = 0; i < headDim; i++) dot += query[at + i] * k[j][kvAt + i];
                    scores[j - first] = Cap(dot * scale, cap);
                }

                double max = scores.Max(), sum = scores.Sum(s => Math.Exp(s - max));
                for (int j = first; j <= p; j++)
                {
                    for (int i = 0; i < headDim; i++) y[at + i] += Math.Exp(scores[j - first] - max) / sum * v[j][kvAt + i];
                }
            }

            return y;
        })];
    }

    public static double Cap(double x, double? cap) => cap is double c ? c * Math.Tanh(x / c) : x;

    /// <summary>Activations by their Hugging Face names (activations.py).</summary>
    public static double Activate(string name, double x) => name switch
    {
        "silu" => x / (1 + Math.Exp(-x)),
        "gelu" => x * 0.5 * (1 + Erf(x / Math.Sqrt(2))),
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        "quick_gelu" => x / (1 + Math.Exp(-1.702 * x)),
        "relu" => Math.Max(x, 0),
        "relu2" => Math.Max(x, 0) * Math.Max(x, 0),
        _ => throw new NotSupportedException(name),
    };

    public static double[][] Add(params double[][][] terms) =>
        [.. terms[0].Select((row, t) => row.Select((_, i) => terms.Sum(term => term[t][i])).ToArray())];

    public static double[][] Map(double[][] x, Func<double[], double[]> row) => [.. x.Select(row)];

    public static double[][] Columns(double[][] x, int from, int count) => Map(x, row => row[from..(from + count)]);

    // erf by its Taylor series. Terms grow to e^(x²), so at 4.5 cancellation costs 1e-7, and beyond it erf is 1 to 2e-10.
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 4.5) return Math.Sign(x);
        double term = x, sum = x;
        for (int n = 1; n < 200 && Math.Abs(term) > 1e-18; n++)
        {
            term *= -x * x / n;
            sum += term / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }
}
