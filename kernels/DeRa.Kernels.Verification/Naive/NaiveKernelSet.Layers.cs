namespace DeRa.Kernels.Verification;

public unsafe partial class NaiveKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueEmbed(
        IntVector tokens, Weight table, float scale, IntVector? positions, Weight? positionTable, Matrix output)
    {
        for (int t = 0; t < tokens.Length; t++)
        {
            float* y = Row(output, t);
            for (int i = 0; i < table.Columns; i++)
            {
                y[i] = scale * Element(table, Ints(tokens)[t], i);
                if (positionTable is { } learned && positions is { } at)
                {
                    y[i] += Element(learned, Ints(at)[t], i);
                }
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            float* from = Row(x, t);
            float* to = Row(y, t);
            float squares = 0;
            for (int i = 0; i < x.Columns; i++)
            {
                squares += from[i] * from[i];
            }

            float inverse = 1 / MathF.Sqrt(squares / x.Columns + epsilon);
            for (int i = 0; i < x.Columns; i++)
            {
                float value = from[i] * inverse * (unitOffset ? 1 + Element(gain, 0, i) : Element(gain, 0, i));
                to[i] = accumulate ? to[i] + value : value;
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            float* from = Row(x, t);
            float* to = Row(y, t);
            float sum = 0, squares = 0;
            for (int i = 0; i < x.Columns; i++)
            {
                sum += from[i];
            }

            float mean = sum / x.Columns;
            for (int i = 0; i < x.Columns; i++)
            {
                squares += (from[i] - mean) * (from[i] - mean);
            }

            float inverse = 1 / MathF.Sqrt(squares / x.Columns + epsilon);
            for (int i = 0; i < x.Columns; i++)
            {
                to[i] = (from[i] - mean) * inverse * Element(gain, 0, i) + (bias is { } b ? Element(b, 0, i) : 0);
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
    {
        var weights = new float[w.Columns];
        for (int o = 0; o < w.Rows; o++)
        {
            for (int k = 0; k < w.Columns; k++)
            {
                weights[k] = Element(w, o, k);
            }

            for (int t = 0; t < x.Rows; t++)
            {
                float* from = Row(x, t);
                float sum = 0;
                for (int k = 0; k < weights.Length; k++)
                {
                    sum += from[k] * weights[k];
                }

                sum += bias is { } b ? Element(b, 0, o) : 0;
                Row(y, t)[o] = accumulate ? Row(y, t)[o] + sum : sum;
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueGatedActivation(Matrix gateUp, ActivationKind activation, Matrix y)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            for (int i = 0; i < y.Columns; i++)
            {
                Row(y, t)[i] = Activate(activation, Row(gateUp, t)[i]) * Row(gateUp, t)[y.Columns + i];
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueActivation(Matrix x, ActivationKind activation)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            for (int i = 0; i < x.Columns; i++)
            {
                Row(x, t)[i] = Activate(activation, Row(x, t)[i]);
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueGather(Matrix x, IntVector rows, Matrix y)
    {
        for (int t = 0; t < rows.Length; t++)
        {
            new ReadOnlySpan<float>(Row(x, Ints(rows)[t]), x.Columns).CopyTo(new Span<float>(Row(y, t), x.Columns));
        }
    }

    /// <inheritdoc />
    protected override void EnqueueSoftCap(Matrix x, float cap)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            for (int i = 0; i < x.Columns; i++)
            {
                Row(x, t)[i] = Cap(Row(x, t)[i], cap);
            }
        }
    }

    /// <summary>activation(x) in float32.</summary>
    protected virtual float Activate(ActivationKind activation, float x) => activation switch
    {
        ActivationKind.Silu => x / (1 + MathF.Exp(-x)),
        ActivationKind.Gelu => 0.5f * x * (1 + (float)SpecialFunctions.Erf(x * 0.70710678f)),
        ActivationKind.GeluTanh => 0.5f * x * (1 + MathF.Tanh(0.79788456f * (x + 0.044715f * x * x * x))),
        ActivationKind.QuickGelu => x / (1 + MathF.Exp(-1.702f * x)),
        ActivationKind.Relu => MathF.Max(x, 0),
        ActivationKind.Relu2 => MathF.Max(x, 0) * MathF.Max(x, 0),
        ActivationKind.Tanh => MathF.Tanh(x),
        ActivationKind.Sigmoid => 1 / (1 + MathF.Exp(-x)),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "no such activation"),
    };

    private static float Cap(float x, float? cap) => cap is { } c ? c * MathF.Tanh(x / c) : x;
}
