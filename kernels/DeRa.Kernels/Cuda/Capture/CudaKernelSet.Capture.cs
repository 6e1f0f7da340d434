using DeRa.Kernels.Portable;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <remarks>
/// A recorded step is a CUDA graph: the driver keeps kernels, grids and arguments, and one call launches them all. Arguments are structs of addresses and
/// sizes, so a recording holds for as long as buffers stay where they are and sizes are of its shape; everything else that changes from step to step
/// (token ids, positions, block tables, λ, seeds) is in buffers and written before. docs/decisions/0016-steps-as-graphs.md.
/// </remarks>
public sealed partial class CudaKernelSet
{
    // Positions of a class of contexts, at the least.
    private const int ContextStep = 256;

    // A graph of a step of 700 launches is some megabytes of the driver's; batches up to 64 at two lengths of contexts fit.
    private const int MostShapes = 128;

    private readonly RecordedSteps<RecordedStep> recorded = new(MostShapes);
    private GraphDriver? graphs;
    private RecordedStep? recording;
    private bool captures; // not in emulation, and not once it has failed

    /// <inheritdoc />
    /// <remarks>Classes end at multiples of an eighth to a quarter of their length, so that attention lays out at most a quarter more than it needs.</remarks>
    public override int ContextClass(int longest)
    {
        long step = Math.Max(ContextStep, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)longest) / 8);
        return (int)Math.Min(int.MaxValue, (longest + step - 1) / step * step);
    }

    /// <inheritdoc />
    public override void EnqueueRepeatable(object shape, Action enqueue)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(enqueue);
        if (!captures || !CapturesSteps || recording is not null)
        {
            enqueue();
            return;
        }

        LaunchPendingLinears();
        SettleBeforeOverwriting();
        RecordedStep? step = recorded.Find(shape, out bool isKnown);
        if (isKnown && step is null && (step = Record(enqueue)) is not null)
        {
            recorded.Keep(shape, step);
        }

        if (step is null || !Replay(step))
        {
            enqueue();
            recorded.Keep(shape, null); // after it: what it allocated may have been in place of what recordings use
        }
    }

    /// <inheritdoc />
    internal override void OnFreeing()
    {
        launcher.RequireNoRecording("free memory");
        recorded.Clear();
    }

    /// <inheritdoc />
    /// <remarks>In a recording the head is settled when the recording runs: the graph ends here and another goes on.</remarks>
    private protected override void SettleBeforeOverwriting()
    {
        if (recording is not null && pending is not null)
        {
            CutRecording();
            Graphs.Begin(GraphStream);
        }
        else if (recording is null)
        {
            base.SettleBeforeOverwriting();
        }
    }

    private GraphDriver Graphs => graphs ??= new GraphDriver();

    private nint GraphStream => ((CudaStream)launcher.Stream).StreamPtr;

    // Null where the step cannot be recorded: nothing of it has run.
    private RecordedStep? Record(Action enqueue)
    {
        try
        {
            launcher.Bind();
            Graphs.Begin(GraphStream);
            launcher.IsRecording = true;
            recording = new RecordedStep(Graphs);
            enqueue();
            LaunchPendingLinears();
            CutRecording();
            return recording;
        }
        catch (Exception e)
        {
            DropWaiting();
            if (launcher.IsRecording)
            {
                Graphs.Abandon(GraphStream);
            }

            recording?.Dispose();
            launcher.IsRecording = false;
            if (e is not (RecordingException or DeviceException))
            {
                throw;
            }

            GiveUpCapturing(e.Message);
            return null;
        }
        finally
        {
            launcher.IsRecording = false;
            recording = null;
        }
    }

    private void CutRecording()
    {
        PendingHead? head = pending;
        pending = null;
        recording!.Add(Graphs.End(GraphStream), head);
    }

    // False where nothing of the step runs.
    private bool Replay(RecordedStep step)
    {
        bool runs = false;
        launcher.Bind();
        foreach ((nint graph, PendingHead? head) in step.Parts)
        {
            SettleBeforeOverwriting();
            if (Graphs.Launch(graph, GraphStream) is { } error)
            {
                if (runs)
                {
                    throw new DeviceException($"{Device.Id} ({Device.Name}): {error}");
                }

                GiveUpCapturing(error);
                return false;
            }

            launcher.CountLaunch();
            runs = true;
            pending = head;
        }

        return true;
    }

    private void GiveUpCapturing(string why)
    {
        captures = false;
        recorded.Clear();
        log?.Invoke($"device {Device.Id}: steps are not captured, each operation is launched by itself: {why}");
    }

    /// <summary>Graphs to launch one after another; between two of them a head is settled, which the host has to look at.</summary>
    private sealed class RecordedStep(GraphDriver graphs) : IDisposable
    {
        private readonly List<(nint Graph, PendingHead? Head)> parts = [];

        public IReadOnlyList<(nint Graph, PendingHead? Head)> Parts => parts;

        public void Add(nint graph, PendingHead? head) => parts.Add((graph, head));

        public void Dispose()
        {
            foreach ((nint graph, _) in parts)
            {
                graphs.Destroy(graph);
            }

            parts.Clear();
        }
    }
}
