using System.Diagnostics;
using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

/// <summary>How long forms of a projection take on this device.</summary>
public sealed partial class CudaKernelSet
{
    private const int LaunchesOfASample = 4;

    // Seconds of a projection with its rounding, the median of samples taken in turn; a first one of each warms up and does not count.
    private double[] Times(DType type, ManyRowsForm[] forms)
    {
        ProductShape shape = warpgroups.Timed;
        using PortableBuffer x = Uploaded(ProductComparison.PlainActivations(type, shape)), w = Uploaded(ProductComparison.PlainWeights(type, shape));
        using PortableBuffer y = AllocateBytes((long)shape.Length * sizeof(float));
        double[][] seconds = [.. forms.Select(_ => new double[warpgroups.Samples])];
        for (int sample = -1; sample < warpgroups.Samples; sample++)
        {
            for (int form = 0; form < forms.Length; form++)
            {
                long begin = Stopwatch.GetTimestamp();
                for (int launch = 0; launch < LaunchesOfASample; launch++)
                {
                    Project(forms[form], type, shape, x, w, y);
                }

                launcher.Synchronize();
                if (sample >= 0)
                {
                    seconds[form][sample] = Stopwatch.GetElapsedTime(begin).TotalSeconds / LaunchesOfASample;
                }
            }
        }

        return [.. seconds.Select(times => times.Order().ElementAt(times.Length / 2))];
    }
}
