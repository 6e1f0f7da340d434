using System.Diagnostics;
using DeRa.Kernels.Portable;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>
/// The form for GPUs, executed without one: a thread for each work-item, true barriers, asserted indices. Groups of 16 for breadth, since a barrier
/// costs what waking its threads does; some checks in the groups of 128 that GPUs get.
/// </summary>
internal sealed class CooperativeOnCpuTests
{
    // Repeated steps are left out: this set records nothing, and their two heads take minutes here. Odd shapes, padding, one model alone, a bias, all storage types; 507 tokens need further sweeps for the widest cuts.
    private static readonly string[] Heads =
    [
        "F16 [11, 7], widths 16 and 16, 5 padding rows", "BF16 [12, 507], widths 48 and 48, no statistics",
        "F16 [12, 507], widths 48 and 0, soft cap 6", "penalties on every token",
    ];

    private static IEnumerable<TestCaseData> Checks => SelfTest.Cases.Where(c => c.Operation == "RealignHead" && Heads.Contains(c.Name))
        .Concat(SelfTest.Cases.Where(c => c.Operation is not ("RealignHead" or "EnqueueRepeatable")).GroupBy(c => c.Operation).SelectMany(Spread))
        .Select(c => new TestCaseData(c, 16))
        .Concat(SelfTest.Cases.Where(c => c.Name.StartsWith("F32 [3, 1], widths", StringComparison.Ordinal)).Select(c => new TestCaseData(c, Team.Size)));

    [TestCaseSource(nameof(Checks))]
    public void Passes(SelfTestCase check, int groupSize)
    {
        using var assertions = new FailingAssertions();
        using var set = new PortableKernelSet(DeviceContext.Emulate(groupSize), KernelForm.Cooperative, groupSize);
        SelfTestResult result = check.Run(set);
        Assert.That(result.Passed, Is.True, result.Message);
        Assert.That(assertions.Failed, Is.Empty);
    }

    [Test]
    public void Emulation_asserts_the_indices_of_views()
    {
        using var assertions = new FailingAssertions();
        using DeviceContext context = DeviceContext.Emulate(16);
        using var buffer = context.Accelerator.Allocate1D<float>(4);
        buffer.View.BaseView.SubView(0, 2)[3] = 1;
        Assert.That(assertions.Failed, Is.Not.Empty);
    }

    // Every eleventh check of an operation: 11 is prime to the periods in which the checks vary dtype, shape and options.
    private static IEnumerable<SelfTestCase> Spread(IGrouping<string, SelfTestCase> operation) =>
        operation.Where((_, i) => i % (operation.Count() > 20 ? 11 : 5) == 1);

    /// <summary>Notes the assertions that fail; the runtime's own listener ends the process, and a throw would leave the group at a barrier.</summary>
    private sealed class FailingAssertions : TraceListener
    {
        private readonly TraceListener[] others = [.. Trace.Listeners.Cast<TraceListener>()];

        public FailingAssertions()
        {
            Trace.Listeners.Clear();
            Trace.Listeners.Add(this);
        }

        public List<string> Failed { get; } = [];

        public override void Write(string? message)
        {
        }

        public override void WriteLine(string? message)
        {
        }

        public override void Fail(string? message, string? detailMessage)
        {
            lock (Failed)
            {
                Failed.Add(message ?? "");
            }
        }

        protected override void Dispose(bool disposing)
        {
            Trace.Listeners.Clear();
            Trace.Listeners.AddRange(others);
            base.Dispose(disposing);
        }
    }
}
