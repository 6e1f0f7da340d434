using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>Pointers and shapes of y = x · Wᵀ (+ bias), or y += ….</summary>
internal unsafe struct LinearShape
{
    /// <summary>[Rows, K], rows XStride floats apart.</summary>
    public float* X;

    /// <summary>Floats between rows of x.</summary>
    public int XStride;

    /// <summary>Rows of x and y.</summary>
    public int Rows;

    /// <summary>Input features.</summary>
    public int K;

    /// <summary>Output features.</summary>
    public int N;

    /// <summary>The weight.</summary>
    public byte* W;

    /// <summary>[N], or absent.</summary>
    public WeightVector Bias;

    /// <summary>[Rows, N], rows YStride floats apart.</summary>
    public float* Y;

    /// <summary>Floats between rows of y.</summary>
    public int YStride;

    /// <summary>Whether results are added to y.</summary>
    public bool Accumulate;

    /// <summary>The columns that are written.</summary>
    public readonly RowBlock Results => new(Y, YStride, N);

    /// <summary>Whether a sum is a result as it is.</summary>
    public readonly bool IsPlain => !Accumulate && !Bias.IsPresent;

    /// <summary>Writes finished sums of outputs from … from + count of one row: bias first, then what y held.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Finish(float* sums, int row, int from, int count)
    {
        float* y = Y + (long)row * YStride + from;
        for (int i = 0; i < count; i += Lanes.Count)
        {
            int left = count - i;
            Vector256<float> value = Lanes.Load(sums + i, left);
            if (Bias.IsPresent)
            {
                value += Bias.Load(from + i, left);
            }

            if (Accumulate)
            {
                value += Lanes.Load(y + i, left);
            }

            Lanes.Store(value, y + i, left);
        }
    }
}
