using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>How the Cpu set runs a step, apart from what the operations compute.</summary>
[TestFixture]
public sealed class CpuStepTests
{
    [Test]
    public void A_step_is_one_launch_whatever_it_holds([Values(1, 2, 3)] int workers)
    {
        using var set = new CpuKernelSet(workers);
        using var tensors = new CpuTensors(set, 1);
        Matrix x = tensors.Matrix(tensors.Normal(64), 64), y = tensors.Empty(1, 64);
        Weight w = tensors.Weight(tensors.Normal(64 * 64, 0.1), 64, 64, DType.BF16);
        for (int i = 0; i < 300; i++)
        {
            set.Linear(x, w, null, y);
            set.Activation(y, ActivationKind.Silu);
        }

        Assert.That(set.LaunchCount, Is.Zero);
        set.Run();
        set.Run();
        Assert.That(set.LaunchCount, Is.EqualTo(1));
    }

    [Test]
    public void Steps_follow_one_another_without_losing_order()
    {
        using var set = new CpuKernelSet(2);
        using var tensors = new CpuTensors(set, 2);
        Matrix x = tensors.Matrix([0.5f], 1);
        for (int step = 0; step < 500; step++)
        {
            set.Activation(x, ActivationKind.Tanh);
            set.Run();
        }

        double expected = 0.5;
        for (int step = 0; step < 500; step++)
        {
            expected = Math.Tanh(expected);
        }

        Assert.That(tensors.Read(x)[0], Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void Workers_that_fell_asleep_are_woken()
    {
        using var set = new CpuKernelSet(3);
        using var tensors = new CpuTensors(set, 5);
        Matrix x = tensors.Matrix(tensors.Normal(64 * 600), 600), y = tensors.Empty(64, 600);
        Weight weight = tensors.Weight(tensors.Normal(600 * 600, 0.1), 600, 600, DType.BF16);
        float[]? first = null;
        for (int step = 0; step < 20; step++)
        {
            set.Linear(x, weight, null, y);
            set.Run();
            first ??= tensors.Read(y);
            Assert.That(tensors.Read(y), Is.EqualTo(first), $"step {step}");
            Thread.Sleep(step % 4); // shorter and longer than workers watch for the next step
        }
    }

    [Test]
    public void A_warm_step_allocates_no_more_than_the_launch_itself()
    {
        using var set = new CpuKernelSet(2);
        using var tensors = new CpuTensors(set, 3);
        Matrix x = tensors.Matrix(tensors.Normal(64), 64), y = tensors.Empty(1, 64);
        Weight w = tensors.Weight(tensors.Normal(64 * 64, 0.1), 64, 64, DType.BF16);
        long few = LeastAllocated(2), many = LeastAllocated(200);
        Assert.That(few, Is.LessThan(1024), "bytes per launch");
        Assert.That(many - few, Is.LessThan(198 * 8), "bytes for 198 more operations: the smallest object has 24");

        // Of many steps, because the counter is the process's: the test host allocates now and then.
        long LeastAllocated(int operations)
        {
            long least = long.MaxValue;
            for (int step = 0; step < 40; step++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                for (int i = 0; i < operations; i++)
                {
                    set.Linear(x, w, null, y);
                }

                set.Run();
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }

            return least;
        }
    }

    [Test]
    public void An_operation_that_fails_ends_the_step_with_its_reason_and_leaves_the_set_usable([Values(1, 3)] int workers)
    {
        using var set = new CpuKernelSet(workers);
        using var tensors = new CpuTensors(set, 4);
        Matrix x = tensors.Matrix([1f, -2f], 2), y = tensors.Empty(1, 1);
        using DeviceBuffer nowhere = set.LoadWeights(64, 4); // the first page is never mapped
        for (int attempt = 0; attempt < 3; attempt++)
        {
            set.Linear(x, new Weight(nowhere, 0, DType.BF16, 1, 2), null, y);
            set.Activation(x, ActivationKind.Relu);
            Assert.That(set.Run, Throws.InvalidOperationException.With.InnerException.TypeOf<NullReferenceException>());
        }

        set.Activation(x, ActivationKind.Relu2);
        set.Run();
        Assert.That(tensors.Read(x), Is.EqualTo(new[] { 1f, 0f }));
    }

    [Test]
    public void Buffers_of_another_set_are_refused()
    {
        using var one = new CpuKernelSet(1);
        using var other = new CpuKernelSet(1);
        using DeviceBuffer buffer = other.Allocate(256);
        Assert.That(() => one.Activation(Matrix.Dense(buffer, 1, 8), ActivationKind.Relu), Throws.ArgumentException);
    }

    [Test]
    public void Too_much_memory_is_refused_with_the_figures()
    {
        using var set = new CpuKernelSet(1);
        Assert.That(() => set.Allocate(1L << 50), Throws.TypeOf<DeviceException>().With.Message.Contains($"{1L << 50}"));
    }

    [Test]
    public void Memory_is_zeroed_and_aligned_and_its_account_is_returned()
    {
        using var set = new CpuKernelSet(1);
        for (int i = 0; i < 3; i++)
        {
            using DeviceBuffer buffer = set.Allocate(set.Device.MemoryBytes / 2);
            var bytes = new byte[1000];
            set.Read(buffer, 12345, bytes.AsSpan());
            Assert.That(bytes, Is.All.Zero);
        }
    }
}
