namespace DeRa.Evaluation;

/// <summary>
/// A sweep's results as series over prompts, the unit that statistics treat as independent: every value is a prompt's mean over its samples.
/// Texts are not kept, but for the first prompts' as examples.
/// </summary>
public sealed class SweepData
{
    private const int ExamplePrompts = 12;

    private readonly List<ResultLine> examples = [];
    private readonly List<LambdaSeries> series;

    private SweepData(IReadOnlyList<float> lambdas, int samples, IReadOnlyList<string> rewards)
    {
        Lambdas = lambdas;
        Samples = samples;
        Rewards = rewards;
        series = [.. lambdas.Select(_ => new LambdaSeries(rewards))];
    }

    /// <summary>λ values, ascending.</summary>
    public IReadOnlyList<float> Lambdas { get; }

    /// <summary>Samples per prompt and λ.</summary>
    public int Samples { get; }

    /// <summary>Names of the rewards.</summary>
    public IReadOnlyList<string> Rewards { get; }

    /// <summary>Prompts.</summary>
    public int PromptCount { get; private set; }

    /// <summary>Per λ its series.</summary>
    public IReadOnlyList<LambdaSeries> Series => series;

    /// <summary>The first samples of the first prompts.</summary>
    public IReadOnlyList<ResultLine> Examples => examples;

    /// <summary>The place of a λ in the grid; null where it is not in it.</summary>
    public int? IndexOf(float lambda)
    {
        for (int i = 0; i < Lambdas.Count; i++)
        {
            if (Lambdas[i] == lambda)
            {
                return i;
            }
        }

        return null;
    }

    /// <summary>Gathers results, prompt by prompt in the plan's order.</summary>
    /// <exception cref="EvaluationException">A sample or a reward is missing.</exception>
    public static SweepData Load(IEnumerable<ResultLine> lines, IReadOnlyList<float> lambdas, int samples, IReadOnlyList<string> rewards)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(lambdas);
        ArgumentNullException.ThrowIfNull(rewards);
        var data = new SweepData(lambdas, samples, rewards);
        foreach (ResultLine[] prompt in lines.Chunk(lambdas.Count * samples))
        {
            data.Add(prompt);
        }

        return data.PromptCount > 0 ? data : throw new EvaluationException("results: expected at least one prompt, found none");
    }

    private void Add(ResultLine[] prompt)
    {
        if (prompt.Length != Lambdas.Count * Samples)
        {
            throw new EvaluationException($"results of prompt {prompt[0].PromptId}: expected {Lambdas.Count * Samples} samples, found {prompt.Length}");
        }

        ResultLine[][] byLambda = [.. prompt.Chunk(Samples)];
        ResultLine[]? reference = IndexOf(0) is { } zero ? byLambda[zero] : null, aligned = IndexOf(1) is { } one ? byLambda[one] : null;
        for (int i = 0; i < byLambda.Length; i++)
        {
            foreach (ResultLine line in byLambda[i])
            {
                if (line.PromptId != prompt[0].PromptId || line.Lambda != Lambdas[i] || !Rewards.All(line.Rewards.ContainsKey))
                {
                    throw new EvaluationException($"results of prompt {prompt[0].PromptId}: expected λ = {Lambdas[i]} with rewards {string.Join(", ", Rewards)}, found λ = {line.Lambda} of prompt {line.PromptId} with {string.Join(", ", line.Rewards.Keys)}");
                }
            }

            series[i].Add(byLambda[i], reference, aligned);
        }

        if (PromptCount++ < ExamplePrompts)
        {
            examples.AddRange(byLambda.Select(lines => lines[0]));
        }
    }
}
