using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests.Scheduling;

/// <summary>A job whose tokens follow from the text so far and a number of its own, as a seeded sampler's would.</summary>
internal sealed class SimulatedJob : Job
{
    private readonly int seed, vocabulary, maxTokens;
    private readonly List<int> output = [];

    /// <param name="prompt">At least one token.</param>
    /// <param name="maxTokens">Tokens to draw.</param>
    /// <param name="needs">Models to run.</param>
    /// <param name="seed">Jobs of one seed draw alike.</param>
    /// <param name="vocabulary">Tokens drawn are below it: the smaller, the more often jobs agree.</param>
    public SimulatedJob(int[] prompt, int maxTokens, ModelSet needs = ModelSet.Both, int seed = 0, int vocabulary = 2)
        : base(needs, prompt.Length)
    {
        (this.seed, this.vocabulary, this.maxTokens) = (seed, vocabulary, maxTokens);
        Sequence = new Sequence(prompt, this);
    }

    private SimulatedJob(int[] text, int? scoredFrom)
        : base(ModelSet.Both, text.Length)
    {
        Sequence = new Sequence(text, this, scoredFrom);
        maxTokens = text.Length - scoredFrom!.Value;
    }

    public IReadOnlyList<int> Output => output;

    public Exception? Failure { get; private set; }

    public override void Fail(Exception exception) => Failure = exception;

    public override void Publish()
    {
        // nobody waits for it
    }

    /// <summary>A text to score.</summary>
    public static SimulatedJob Scoring(int[] text, int from) => new(text, (int?)from);

    /// <summary>What the job puts out alone.</summary>
    public static int[] Alone(int[] prompt, int maxTokens, int seed, int vocabulary)
    {
        var tokens = new List<int>(prompt);
        for (int i = 0; i < maxTokens; i++)
        {
            tokens.Add(Next(tokens, seed, vocabulary));
        }

        return [.. tokens.Skip(prompt.Length)];
    }

    public void Draw()
    {
        LastToken = Next(Sequence.Tokens, seed, vocabulary);
        output.Add(LastToken);
        Ended = output.Count == maxTokens;
    }

    /// <summary>Takes scored positions; ends with the last.</summary>
    public void Score(IEnumerable<int> positions)
    {
        output.AddRange(positions);
        Ended = output.Count == maxTokens;
    }

    private static int Next(IReadOnlyList<int> tokens, int seed, int vocabulary)
    {
        uint hash = 2166136261u ^ (uint)seed;
        foreach (int token in tokens)
        {
            hash = (hash ^ (uint)token) * 16777619u;
        }

        return (int)((hash >> 8) % (uint)vocabulary);
    }
}
