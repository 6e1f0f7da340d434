namespace DeRa.Kernels;

/// <summary>What the scratch memory of steps depends on.</summary>
/// <param name="Tokens">Most tokens of a step.</param>
/// <param name="Rows">Most rows that the head draws for; 0 where the set does not run it.</param>
/// <param name="Vocabulary">Entries that it draws from.</param>
/// <param name="Projections">Outputs and inputs of the projections of a layer; several of one input count as one.</param>
public sealed record StepScratch(int Tokens, int Rows, int Vocabulary, IReadOnlyList<(int Outputs, int Inputs)> Projections);
