namespace DeRa.Models;

/// <summary>How much a pair can take in one step and keep in its caches.</summary>
/// <param name="Tokens">Most tokens of a step.</param>
/// <param name="Outputs">Most hidden states asked for in a step.</param>
/// <param name="CacheBlocks">Blocks of <see cref="KvCache.BlockSize"/> positions in each model's cache.</param>
public readonly record struct StepCapacity(int Tokens, int Outputs, int CacheBlocks);
