using System.Text.Json;

namespace DeRa.Evaluation;

/// <summary>A prompt of a sweep.</summary>
/// <param name="Index">Its place in the input, from 0; orders results.</param>
/// <param name="Id">Unique among the prompts.</param>
/// <param name="Text">The prompt for people and rewards.</param>
/// <param name="Tokens">Ids, [tokens], special tokens included.</param>
/// <param name="Messages">The conversation where it is one, an array of {"role", "content"}.</param>
/// <param name="Seed">Draws this prompt's samples in place of the sweep's seed.</param>
public sealed record SweepPrompt(int Index, string Id, string Text, IReadOnlyList<int> Tokens, JsonElement? Messages = null, ulong? Seed = null);

/// <summary>One sample to draw: the unit of work that is done once, whatever interrupts the sweep.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Lambda">λ.</param>
/// <param name="Sample">Which sample of the prompt at this λ, from 0.</param>
public readonly record struct SweepUnit(SweepPrompt Prompt, float Lambda, int Sample);
