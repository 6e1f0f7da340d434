using System.Diagnostics;
using System.Text;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Portable;

/// <summary>Compiles kernels at their first use and launches them on one stream, in order.</summary>
internal sealed class KernelLauncher(DeviceContext device) : IDisposable
{
    private readonly AcceleratorStream stream = device.Accelerator.CreateStream();
    private readonly Dictionary<Delegate, Delegate> loaded = [];

    /// <summary>The stream everything runs on.</summary>
    public AcceleratorStream Stream => stream;

    /// <summary>The device.</summary>
    public Accelerator Accelerator => device.Accelerator;

    /// <summary>Launches issued so far.</summary>
    public long Count { get; private set; }

    /// <summary>Whether launches go into a recording: they do not run now, and nothing may wait for the device.</summary>
    public bool IsRecording { get; set; }

    /// <summary>Launches an explicitly grouped kernel on a one-dimensional grid.</summary>
    /// <param name="kernel">The entry point.</param>
    /// <param name="groups">Groups of the grid.</param>
    /// <param name="groupSize">Work-items of a group.</param>
    /// <param name="args">The kernel's arguments.</param>
    /// <param name="needs">What the kernel needs beside a plain one; the same at every launch.</param>
    /// <exception cref="DeviceException">The kernel does not compile, with the compiler's messages; or the launch fails.</exception>
    public void Launch<TArgs>(Action<TArgs> kernel, long groups, int groupSize, TArgs args, KernelNeeds needs = default)
        where TArgs : struct
    {
        if (!loaded.TryGetValue(kernel, out Delegate? launch))
        {
            RequireNoRecording($"load kernel {Name(kernel)}");
            launch = Load(kernel, groupSize, needs);
            loaded.Add(kernel, launch);
        }

        SharedMemoryConfig shared = needs.SharedBytes > 0 ? SharedMemoryConfig.RequestDynamic<byte>(needs.SharedBytes) : default;
        try
        {
            ((Action<AcceleratorStream, KernelConfig, TArgs>)launch)(stream, new KernelConfig(checked((int)groups), groupSize, shared), args);
        }
        catch (AcceleratorException e)
        {
            throw new DeviceException($"{device.Description.Id}: kernel {Name(kernel)} with {groups} groups failed: {e.Message}", e);
        }

        CountLaunch();
    }

    /// <summary>Counts one launch, unless it was recorded.</summary>
    public void CountLaunch() => Count += IsRecording ? 0 : 1;

    /// <summary>Ends a recording that needs what only the device's memory or its idleness gives.</summary>
    /// <exception cref="RecordingException">Launches are being recorded.</exception>
    public void RequireNoRecording(string what)
    {
        if (IsRecording)
        {
            throw new RecordingException($"a recorded step cannot {what}");
        }
    }

    /// <summary>Makes the device this thread's own, for driver calls that do not go through ILGPU.</summary>
    public void Bind() => device.Accelerator.Bind();

    /// <summary>Waits for everything launched.</summary>
    /// <exception cref="DeviceException">Something launched earlier failed.</exception>
    public void Synchronize()
    {
        RequireNoRecording("wait for the device");
        try
        {
            stream.Synchronize();
        }
        catch (AcceleratorException e)
        {
            throw new DeviceException($"{device.Description.Id} ({device.Description.Name}): {e.Message}", e);
        }
    }

    /// <inheritdoc />
    public void Dispose() => stream.Dispose();

    private Delegate Load<TArgs>(Action<TArgs> kernel, int groupSize, KernelNeeds needs)
        where TArgs : struct
    {
        using var log = new CompilerLog();
        try
        {
            // The assembler needs the group's size to batch loads; OpenCL takes it at the launch.
            return device.Accelerator is not CudaAccelerator cuda ? device.Accelerator.LoadKernel(kernel)
                : needs == default ? cuda.LoadKernel(kernel, new KernelSpecialization(groupSize, 1))
                : needs.Load(cuda, kernel.Method, groupSize).CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, TArgs>>();
        }
        catch (Exception e) // whatever ILGPU's compiler meets, its context is unusable afterwards
        {
            throw new DeviceException(
                $"{device.Description.Id} ({device.Description.Name}): kernel {Name(kernel)} does not compile: {Messages(e)}{log}", e);
        }
    }

    // ILGPU wraps what it met in "an internal compiler error has been detected".
    private static string Messages(Exception? exception)
    {
        var messages = new List<string>();
        for (; exception is not null; exception = exception.InnerException)
        {
            messages.Add(exception.Message);
        }

        return string.Join(" < ", messages);
    }

    private static string Name(Delegate kernel) => kernel.Method.DeclaringType is { IsGenericType: true } type
        ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(a => a.Name.Split('`')[0]))}>"
        : kernel.Method.DeclaringType!.Name;

    /// <summary>Collects what the driver's compiler says: ILGPU tells it to <see cref="Trace"/> alone.</summary>
    private sealed class CompilerLog : TraceListener
    {
        private readonly StringBuilder text = new();

        public CompilerLog() => Trace.Listeners.Add(this);

        public override void Write(string? message) => text.Append(message);

        public override void WriteLine(string? message) => text.AppendLine(message);

        public override string ToString() => text.Length == 0 ? "" : $"{Environment.NewLine}{text}";

        protected override void Dispose(bool disposing)
        {
            Trace.Listeners.Remove(this);
            base.Dispose(disposing);
        }
    }
}
