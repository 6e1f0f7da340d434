namespace DeRa.Benchmarks;

/// <summary>What the serve workload sends to an engine.</summary>
public sealed record ServeOptions
{
    /// <summary>Tokens of the shortest prompt and of the shortest output.</summary>
    public const int Shortest = 8;

    /// <summary>Requests per case.</summary>
    public int Requests { get; init; } = 48;

    /// <summary>Cases with as many requests open at any time: the next is sent when one ends.</summary>
    public IReadOnlyList<int> Concurrency { get; init; } = [1, 16];

    /// <summary>Cases with requests that arrive at random, so many per second on average, whether others have ended or not.</summary>
    public IReadOnlyList<double> Rates { get; init; } = [4];

    /// <summary>λ of the requests, in turn.</summary>
    public IReadOnlyList<float> Lambdas { get; init; } = [0, 0.3f, 0.5f, 1, 1.7f];

    /// <summary>Top-p of all requests; less than 1 costs further sweeps of the vocabulary where the distribution is flat, as that of random weights is.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Longest prompt; lengths are uniform from <see cref="Shortest"/> on.</summary>
    public int LongestPrompt { get; init; } = 128;

    /// <summary>Longest output; lengths are uniform from <see cref="Shortest"/> on, and nothing stops before.</summary>
    public int LongestOutput { get; init; } = 64;
}
