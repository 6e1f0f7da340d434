using System.Diagnostics;
using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

/// <summary>How long forms of a projection take on this device.</summary>
public sealed partial class CudaKernelSet
{
    private const int Samples = 5, LaunchesOfASample = 4;

    // 34 GFLOP in 256 tiles, about two for each multiprocessor of the cards that have a choice; 32 MB of weights and 24 MB of activations.
    private static ProductShape Timed { get; } = new(1024, 4096, 4096, false);

    // Seconds of a projection with its rounding, the median of samples taken in turn; a first one of each warms up and does not count.
    private double[] Times(DType type, ManyRowsForm[] forms)
    {
        using PortableBuffer x = Uploaded(ProductComparison.PlainActivations(type, Timed)), w = Uploaded(ProductComparison.PlainWeights(type, Timed));
        using PortableBuffer y = AllocateBytes((long)Timed.Length * sizeof(float));
        double[][] seconds = [.. forms.Select(_ => new double[Samples])];
        for (int sample = -1; sample < Samples; sample++)
        {
            for (int form = 0; form < forms.Length; form++)
            {
                long begin = Stopwatch.GetTimestamp();
                for (int launch = 0; launch < LaunchesOfASample; launch++)
                {
                    Project(forms[form], type, Timed, x, w, y);
                }

                launcher.Synchronize();
                if (sample >= 0)
                {
                    seconds[form][sample] = Stopwatch.GetElapsedTime(begin).TotalSeconds / LaunchesOfASample;
                }
            }
        }

        return [.. seconds.Select(times => times.Order().ElementAt(Samples / 2))];
    }
}
