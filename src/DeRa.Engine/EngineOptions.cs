using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>What an engine loads and how much it may hold.</summary>
public sealed record EngineOptions
{
    /// <summary>Checkpoint folder of the reference model, in Hugging Face's layout.</summary>
    public required string ReferenceFolder { get; init; }

    /// <summary>Checkpoint folder of the aligned model; the reference's folder makes a pair of one model.</summary>
    public required string AlignedFolder { get; init; }

    /// <summary>The pair's text side where it is loaded already; null loads it from the folders.</summary>
    public PairText? Text { get; init; }

    /// <summary>auto, cpu, opencl[:i] or cuda[:i]: where both models run, unless one has a device of its own.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>
    /// Where the reference model runs, in the form of <see cref="Device"/>; null is <see cref="Device"/>. With two devices the models run at the same
    /// time, and final hidden states move to the device of the head: the aligned model's, unless that is a processor and the reference's is not.
    /// </summary>
    public string? ReferenceDevice { get; init; }

    /// <summary>Where the aligned model runs, in the form of <see cref="Device"/>; null is <see cref="Device"/>.</summary>
    public string? AlignedDevice { get; init; }

    /// <summary>
    /// Whether steps that repeat run as graphs on devices that have them (CUDA): one launch each. Without, every operation is launched by itself, which is
    /// slower and gives the same results: to compare, to debug, or for a driver whose graphs fail.
    /// </summary>
    public bool CaptureSteps { get; init; } = true;

    /// <summary>Opens other devices than the names say, for tests: two sets on one processor.</summary>
    internal Func<DeRa.Models.PairDevices>? OpenDevices { get; init; }

    /// <summary>Storage type of the weights on the device; null keeps each checkpoint's own.</summary>
    public DeRa.Kernels.DType? WeightType { get; init; }

    /// <summary>Samples and texts that run together; more wait.</summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>Tokens computed per step, prompts included; longer prompts are prefilled in chunks. At least <see cref="MaxSequences"/>.</summary>
    public int MaxBatchTokens { get; init; } = 512;

    /// <summary>
    /// Positions that the key-value caches of both models can hold, over all sequences; null takes what <see cref="DeviceMemoryShare"/> leaves beside
    /// weights and activations, at most what <see cref="MaxSequences"/> of the models' longest texts need.
    /// </summary>
    public int? CachePositions { get; init; }

    /// <summary>Share of the device's memory to use where <see cref="CachePositions"/> is null; null is 0.85, and 0.5 of a processor's.</summary>
    public double? DeviceMemoryShare { get; init; }

    /// <summary>Whether what earlier requests computed is found again by those that begin alike. Results are the same either way.</summary>
    public bool PrefixCache { get; init; } = true;

    /// <summary>Whether and how the models draft tokens for each other; off by default. Has no effect on a pair of one model.</summary>
    public SpeculationOptions Speculation { get; init; } = new();

    /// <summary>Receives single lines for people: the device chosen and why, stored tensors that a model has no use for.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Makes the engine's logger; null logs nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Makes the engine's meter; null makes it one of the process.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>Requires options that an engine can run with.</summary>
    /// <exception cref="ArgumentException">The first thing that is wrong.</exception>
    internal void Validate()
    {
        Require(!string.IsNullOrEmpty(ReferenceFolder), "ReferenceFolder: expected a checkpoint folder, found none");
        Require(!string.IsNullOrEmpty(AlignedFolder), "AlignedFolder: expected a checkpoint folder, found none");
        Require(MaxSequences >= 1, $"MaxSequences: expected at least 1, found {MaxSequences}");
        Require(MaxBatchTokens >= MaxSequences, $"MaxBatchTokens: expected at least MaxSequences, {MaxSequences}, found {MaxBatchTokens}");
        Require(CachePositions is null or >= 1, $"CachePositions: expected at least 1, found {CachePositions}");
        Require(DeviceMemoryShare is null or (> 0 and <= 1), $"DeviceMemoryShare: expected more than 0 and at most 1, found {DeviceMemoryShare}");
        Speculation.Validate();
    }

    private static void Require(bool met, string message)
    {
        if (!met)
        {
            throw new ArgumentException(message);
        }
    }
}
