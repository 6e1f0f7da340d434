using System.Globalization;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>Which forms of wgmma may be used in place of mma.sync, and how one is chosen.</summary>
internal sealed class WarpgroupChoice
{
    /// <summary>Names the environment variable that keeps wgmma from being used, or names its form.</summary>
    public const string Variable = "DERA_WGMMA";

    /// <summary>The one architecture that has the instructions; newer ones have others.</summary>
    public static CudaArchitecture Architecture { get; } = new(9, 0);

    /// <summary>The PTX ISA that has them.</summary>
    public static CudaInstructionSet Since { get; } = new(8, 0);

    /// <summary>Those that may be used, none where wgmma is switched off.</summary>
    public IReadOnlyList<ManyRowsForm> Forms { get; init; } = [ManyRowsForm.Warpgroups, ManyRowsForm.Roles];

    /// <summary>Whether the fastest is used, mma.sync among them; else the first whose bits agree.</summary>
    public bool TakesFastest { get; init; } = true;

    /// <summary>What to compare before a storage type's kernel is used.</summary>
    public IReadOnlyList<ProductShape> Shapes { get; init; } = ProductComparison.Shapes;

    /// <summary>
    /// What to time. Here 34 GFLOP in 256 tiles, about two for each multiprocessor of the cards that have a choice; 32 MB of weights and 24 MB of activations.
    /// </summary>
    public ProductShape Timed { get; init; } = new(1024, 4096, 4096, false);

    /// <summary>How often it is timed by each form, a few launches at a time; the median counts.</summary>
    public int Samples { get; init; } = 5;

    /// <summary>Seconds of that by each of some forms; measured on the device when null.</summary>
    public Func<ManyRowsForm[], double[]>? Times { get; init; }

    /// <summary>As the environment has it.</summary>
    /// <exception cref="DeviceException">The variable has none of its values.</exception>
    public static WarpgroupChoice FromEnvironment() => Named(Environment.GetEnvironmentVariable(Variable));

    /// <summary>As a value of the variable has it.</summary>
    /// <exception cref="DeviceException">It is none.</exception>
    public static WarpgroupChoice Named(string? value) => value switch
    {
        null or "" or "on" => new(),
        "off" => new() { Forms = [] },
        "plain" => new() { Forms = [ManyRowsForm.Warpgroups], TakesFastest = false },
        "roles" => new() { Forms = [ManyRowsForm.Roles], TakesFastest = false },
        string other => throw new DeviceException($"the environment variable {Variable} is '{other}'; on, off, plain or roles was expected"),
    };

    /// <summary>The form of a storage type, and a sentence for people that says why.</summary>
    /// <param name="type">The storage type.</param>
    /// <param name="refused">The forms that cannot be used, each with its reason.</param>
    /// <param name="times">Measures some forms; not asked where there is no choice.</param>
    public (ManyRowsForm Form, string Finding) Settle(
        DType type, IReadOnlyList<(ManyRowsForm Form, string Reason)> refused, Func<ManyRowsForm[], double[]> times)
    {
        (ManyRowsForm form, string? why) = Choose([.. Forms.Except(refused.Select(pair => pair.Form))], times);
        string?[] reasons = Forms.Count == 0
            ? [$"not wgmma: switched off by {Variable}"]
            : [why, .. refused.GroupBy(pair => pair.Reason).Select(same => $"not {string.Join(" or ", same.Select(pair => pair.Form.Name))}: {same.Key}")];
        string rows = $"{type} projections of more than {SkinnyLinearKernel<TensorFloat16>.Rows} rows";
        return (form, $"{rows}: {string.Join(", ", reasons.Prepend(form.Name).Where(text => text is not null))}");
    }

    private (ManyRowsForm Form, string? Why) Choose(ManyRowsForm[] equal, Func<ManyRowsForm[], double[]> times)
    {
        const string Equal = "whose bits were those of mma.sync in every comparison here";
        if (equal.Length == 0)
        {
            return (ManyRowsForm.Tiles, null);
        }

        if (!TakesFastest)
        {
            return (equal[0], Equal);
        }

        ManyRowsForm[] forms = [ManyRowsForm.Tiles, .. equal];
        try
        {
            (ManyRowsForm Form, double Seconds)[] timed = [.. forms.Zip((Times ?? times)(forms))];
            string[] said = [.. timed.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Form.Name} {1000 * pair.Seconds:0.000} ms"))];
            return (timed.MinBy(pair => pair.Seconds).Form, $"the fastest of those whose bits are the same here ({string.Join(", ", said)} for {Timed})");
        }
        catch (DeviceException e)
        {
            return (equal[0], $"{Equal}; not timed: {OneLine(e)}");
        }
    }

    /// <summary>An error's message in one line: a driver's compiler adds lines of its own, some of them blank.</summary>
    public static string OneLine(DeviceException e) =>
        string.Join("; ", e.Message.Split('\n').Select(line => line.Trim('\0', '\r', ' ')).Where(line => line.Length > 0));
}
