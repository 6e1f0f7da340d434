using DeRa.Kernels.Portable;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// The driver's graph functions (CUDA Driver API, "Graph Management" and "Stream Management"), which ILGPU does not import. They are looked up by name,
/// so a driver without them is a driver on which nothing is recorded.
/// </summary>
internal sealed unsafe class GraphDriver
{
    /// <summary>CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: what other threads do with their devices does not disturb the capture.</summary>
    private const int ThreadLocal = 1;

    private readonly delegate* unmanaged<nint, int, int> beginCapture;
    private readonly delegate* unmanaged<nint, nint*, int> endCapture;
    private readonly delegate* unmanaged<nint*, nint, ulong, int> instantiate;
    private readonly delegate* unmanaged<nint, nint, int> launch;
    private readonly delegate* unmanaged<nint, int> destroyExecutable;
    private readonly delegate* unmanaged<nint, int> destroyGraph;

    /// <summary>Finds the functions.</summary>
    /// <exception cref="RecordingException">The driver lacks one of them.</exception>
    public GraphDriver()
    {
        beginCapture = (delegate* unmanaged<nint, int, int>)Find("cuStreamBeginCapture_v2");
        endCapture = (delegate* unmanaged<nint, nint*, int>)Find("cuStreamEndCapture");
        instantiate = (delegate* unmanaged<nint*, nint, ulong, int>)Find("cuGraphInstantiateWithFlags");
        launch = (delegate* unmanaged<nint, nint, int>)Find("cuGraphLaunch");
        destroyExecutable = (delegate* unmanaged<nint, int>)Find("cuGraphExecDestroy");
        destroyGraph = (delegate* unmanaged<nint, int>)Find("cuGraphDestroy");
    }

    /// <summary>From now on what this thread launches on the stream is recorded and does not run.</summary>
    /// <exception cref="RecordingException">The driver refuses.</exception>
    public void Begin(nint stream) => Check(beginCapture(stream, ThreadLocal), "cuStreamBeginCapture");

    /// <summary>Ends the capture and makes what was recorded ready to run.</summary>
    /// <returns>An executable graph, to be destroyed.</returns>
    /// <exception cref="RecordingException">Something since <see cref="Begin"/> cannot be captured, or the driver cannot make the graph ready.</exception>
    public nint End(nint stream)
    {
        nint graph = 0, executable = 0;
        Check(endCapture(stream, &graph), "cuStreamEndCapture");
        try
        {
            Check(instantiate(&executable, graph, 0), "cuGraphInstantiate");
            return executable;
        }
        finally
        {
            destroyGraph(graph);
        }
    }

    /// <summary>Ends a capture whose graph nobody wants; whatever the driver says, the stream is an ordinary one afterwards.</summary>
    public void Abandon(nint stream)
    {
        nint graph = 0;
        if (endCapture(stream, &graph) == 0 && graph != 0)
        {
            destroyGraph(graph);
        }
    }

    /// <summary>Runs a graph after everything before it on the stream; null, or what went wrong.</summary>
    public string? Launch(nint executable, nint stream) => launch(executable, stream) is var status and not 0 ? Describe(status, "cuGraphLaunch") : null;

    /// <summary>Frees an executable graph; one that is running is freed when it is done.</summary>
    public void Destroy(nint executable) => destroyExecutable(executable);

    private static nint Find(string name) => DriverLibraries.TryGetFunction(DeviceKind.Cuda, name, out nint address)
        ? address
        : throw new RecordingException($"{DriverLibraries.Name(DeviceKind.Cuda)} has no {name}");

    private static void Check(int status, string function)
    {
        if (status != 0)
        {
            throw new RecordingException(Describe(status, function));
        }
    }

    private static string Describe(int status, string function) => $"{function}: error {status}, {CudaAPI.CurrentAPI.GetErrorString((CudaError)status)}";
}
