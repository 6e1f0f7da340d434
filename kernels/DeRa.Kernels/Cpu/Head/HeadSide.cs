using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>One model's side of a head: logits z = softCap(hidden · outputᵀ + bias) of any rows and any range of the vocabulary.</summary>
internal unsafe struct HeadSide
{
    /// <summary>Vocabulary entries whose logits are made together: the unit of partial results, whatever the number of workers.</summary>
    public const int Tile = 256;

    private float* hidden;
    private int hiddenStride, elementSize;
    private byte* output;
    private delegate*<float**, int, byte*, int, int, float*, long, void> project;
    private WeightVector bias;
    private float softCap;

    /// <summary>Hidden width; 0 where the model is missing.</summary>
    public int K { get; private set; }

    /// <summary>Whether the weight comes in even and odd halves.</summary>
    public bool SplitsEvenOdd { get; private set; }

    /// <summary>Whether the model is there.</summary>
    public readonly bool IsPresent => K > 0;

    /// <summary>Floats of an arranged hidden state.</summary>
    public readonly int Padded => Arrangement.Padded(K);

    /// <summary>A side over device memory.</summary>
    public static HeadSide Create(float* hidden, int hiddenStride, int k, byte* output, DType type, WeightVector bias, float? softCap) => new()
    {
        hidden = hidden,
        hiddenStride = hiddenStride,
        K = k,
        output = output,
        elementSize = type.Size(),
        SplitsEvenOdd = type != DType.F32,
        project = type switch
        {
            DType.BF16 => &Projection<BFloat16>.RunWhole,
            DType.F16 => &Projection<Binary16>.RunWhole,
            _ => &Projection<Binary32>.RunWhole,
        },
        bias = bias,
        softCap = softCap ?? 0,
    };

    /// <summary>A row of hidden states as the caller gave it.</summary>
    public readonly float* Hidden(long row) => hidden + row * hiddenStride;

    /// <summary>Projects arranged rows onto vocabulary entries from … from + count: z [rows, stride], bias and cap still missing.</summary>
    public readonly void Project(float** rows, int rowCount, int from, int count, float* z, long stride) =>
        project(rows, rowCount, output + (long)from * K * elementSize, K, count, z, stride);

    /// <summary>Adds the bias to one row of logits and caps them; pads the row with −∞ to a multiple of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Finish(int from, int count, float* z)
    {
        if (bias.IsPresent)
        {
            for (int i = 0; i < count; i += Lanes.Count)
            {
                Lanes.Store(Lanes.Load(z + i, count - i) + bias.Load(from + i, count - i), z + i, count - i);
            }
        }

        if (softCap != 0)
        {
            SoftCapOperation.Apply(z, count, softCap);
        }

        Pad(z, count, float.NegativeInfinity);
    }

    /// <summary>Fills a row up to a multiple of eight.</summary>
    public static void Pad(float* row, int count, float value)
    {
        for (; count % Lanes.Count != 0; count++)
        {
            row[count] = value;
        }
    }
}
