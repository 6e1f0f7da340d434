using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>
/// The system's OpenBLAS, loaded where it is installed: what a processor's float32 matrix product can be compared with. Nothing of the engine uses it.
/// </summary>
public sealed unsafe class OpenBlas : IDisposable
{
    /// <summary>Names under which packages install it, most specific first.</summary>
    private static readonly string[] Libraries = ["libopenblas.so.0", "libopenblas.so", "libopenblas.0.dylib", "libopenblas.dylib", "libopenblas.dll", "openblas.dll"];

    // cblas.h: CblasRowMajor = 101, CblasNoTrans = 111, CblasTrans = 112.
    private const int RowMajor = 101, NoTranspose = 111, Transpose = 112;

    private readonly nint library;
    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> sgemm;

    private OpenBlas(nint library)
    {
        this.library = library;
        sgemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)
            NativeLibrary.GetExport(library, "cblas_sgemm");
    }

    /// <summary>Loads it with as many threads as the process has processors.</summary>
    /// <exception cref="DeviceException">It is not installed; the message says which names were tried.</exception>
    public static OpenBlas Load()
    {
        foreach (string name in Libraries)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
            {
                var loaded = new OpenBlas(library);
                ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads"))(Environment.ProcessorCount);
                return loaded;
            }
        }

        throw new DeviceException($"OpenBLAS is not installed: none of {string.Join(", ", Libraries)} could be loaded");
    }

    /// <summary>Version, processor kernels in use and threads: figures of another choice of kernels are not comparable.</summary>
    public string Description => $"{Text("openblas_get_config")}, kernels {Text("openblas_get_corename")}, "
        + $"{((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "openblas_get_num_threads"))()} threads";

    /// <summary>y = x·wᵀ in float32, all dense.</summary>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="outputs">Rows of w, columns of y.</param>
    /// <param name="depth">Columns of x and w.</param>
    /// <param name="x">[rows, depth].</param>
    /// <param name="w">[outputs, depth].</param>
    /// <param name="y">[rows, outputs].</param>
    internal void Multiply(int rows, int outputs, int depth, float* x, float* w, float* y) =>
        sgemm(RowMajor, NoTranspose, Transpose, rows, outputs, depth, 1, x, depth, w, depth, 0, y, outputs);

    /// <inheritdoc />
    public void Dispose() => NativeLibrary.Free(library);

    private string Text(string function) =>
        Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)NativeLibrary.GetExport(library, function))())?.Trim() ?? "";
}
