using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>What every layer of a forward pass reads beside its weights.</summary>
/// <param name="Ops">Where operations are enqueued.</param>
/// <param name="Batch">The packed tokens.</param>
/// <param name="Rope">Rotations per token; null with learned positions.</param>
/// <param name="Cache">The model's key-value pools.</param>
/// <param name="Activations">Scratch of the step.</param>
internal readonly record struct Step(KernelSet Ops, DeviceBatch Batch, RopeTable? Rope, KvCache Cache, Activations Activations);
