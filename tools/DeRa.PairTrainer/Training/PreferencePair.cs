using DeRa.PairTrainer.Model;

namespace DeRa.PairTrainer.Training;

/// <summary>Two responses to a prompt, the first one preferred; each ends with the end token unless it was cut short.</summary>
internal sealed record PreferencePair(int[] Prompt, int[] Chosen, int[] Rejected);

/// <summary>Pairs packed for one pass: sequence 2i is the chosen response of pair i with its prompt, sequence 2i + 1 the rejected one.</summary>
internal sealed class PreferenceBatch
{
    private readonly int[][] responses;
    private readonly int[] promptLengths;

    /// <summary>Packs the pairs.</summary>
    public PreferenceBatch(IReadOnlyList<PreferencePair> pairs)
    {
        responses = [.. pairs.SelectMany(pair => new[] { pair.Chosen, pair.Rejected })];
        int[][] prompts = [.. pairs.SelectMany(pair => new[] { pair.Prompt, pair.Prompt })];
        promptLengths = [.. prompts.Select(prompt => prompt.Length)];
        Inputs = new PackedBatch([.. responses.Select((response, s) => (int[])[.. prompts[s], .. response[..^1]])]);
    }

    /// <summary>What the model reads: each sequence without its last token.</summary>
    public PackedBatch Inputs { get; }

    /// <summary>The response tokens of a sequence, which are predicted from <see cref="FirstRow"/> on.</summary>
    public int[] Response(int sequence) => responses[sequence];

    /// <summary>The row of the packed batch that predicts a sequence's first response token.</summary>
    public int FirstRow(int sequence) => Inputs.Starts[sequence] + promptLengths[sequence] - 1;
}
