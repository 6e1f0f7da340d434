namespace DeRa.Evaluation.Tests.ExactWorld;

/// <summary>
/// A language small enough to list: after the begin token come words with rising ids, then the end token. With eight words there are 2⁸ texts. The reference
/// is a table log p_r(next | current); the reward of a text is the sum of a gain for every step, so that the optimum of the KL-regularised objective,
/// π*(β)(y) ∝ p_r(y)·e^(r(y)/β), is a sum over all texts and again a table of steps.
/// </summary>
internal sealed class IncreasingWorld
{
    public const int Begin = 0;
    public const int End = 1;
    public const int Vocabulary = 10;

    private readonly double[,] logReference = new double[Vocabulary, Vocabulary];
    private readonly double[,] gain = new double[Vocabulary, Vocabulary];

    public IncreasingWorld(int seed)
    {
        var random = new Random(seed);
        for (int current = 0; current < Vocabulary; current++)
        {
            int[] next = Next(current);
            double[] weights = [.. next.Select(_ => Math.Exp(3 * random.NextDouble()))];
            for (int i = 0; i < next.Length; i++)
            {
                logReference[current, next[i]] = Math.Log(weights[i] / weights.Sum());
                gain[current, next[i]] = random.NextDouble() - 0.5;
            }
        }

        Texts = [.. Continuations([Begin])];
        Reference = [.. Texts.Select(text => Sum(logReference, text))];
        Rewards = [.. Texts.Select(text => Sum(gain, text))];
    }

    /// <summary>Every text, begin and end token included.</summary>
    public int[][] Texts { get; }

    /// <summary>log p_r of every text.</summary>
    public double[] Reference { get; }

    /// <summary>r of every text.</summary>
    public double[] Rewards { get; }

    /// <summary>Table of the reference, see <see cref="Steps"/>.</summary>
    public double[,] ReferenceSteps => logReference;

    /// <summary>log π*(β) of every text: log p_r + r/β, less the logarithm of the sum over all texts.</summary>
    public double[] Optimum(double beta) => Normalized([.. Reference.Select((log, i) => log + (Rewards[i] / beta))]);

    /// <summary>log of p(next | current) for a distribution over texts; −∞ where the step cannot be taken.</summary>
    public double[,] Steps(double[] logTexts)
    {
        var mass = new double[Vocabulary, Vocabulary];
        for (int i = 0; i < Texts.Length; i++)
        {
            for (int t = 1; t < Texts[i].Length; t++) mass[Texts[i][t - 1], Texts[i][t]] += Math.Exp(logTexts[i]);
        }

        var steps = new double[Vocabulary, Vocabulary];
        for (int current = 0; current < Vocabulary; current++)
        {
            double total = Enumerable.Range(0, Vocabulary).Sum(next => mass[current, next]);
            for (int next = 0; next < Vocabulary; next++) steps[current, next] = Math.Log(mass[current, next] / total);
        }

        return steps;
    }

    /// <summary>What decoding samples, p_λ(next | current) ∝ p_r^(1−λ)·p_a^λ, and A(current), the log-normaliser of it.</summary>
    public static (double[,] Steps, double[] LogNormalizer) Mixture(double[,] reference, double[,] aligned, double lambda)
    {
        var steps = new double[Vocabulary, Vocabulary];
        var normalizers = new double[Vocabulary];
        for (int current = 0; current < Vocabulary; current++)
        {
            if (current == End) continue;
            int[] next = Next(current);
            double[] logits = [.. next.Select(token => ((1 - lambda) * reference[current, token]) + (lambda * aligned[current, token]))];
            normalizers[current] = LogSum(logits);
            for (int i = 0; i < next.Length; i++) steps[current, next[i]] = logits[i] - normalizers[current];
        }

        return (steps, normalizers);
    }

    /// <summary>Sum of a table's entries over the steps of a text.</summary>
    public static double Sum(double[,] table, int[] text) => Enumerable.Range(1, text.Length - 1).Sum(t => table[text[t - 1], text[t]]);

    /// <summary>Tokens that may follow: the end, or a word with a higher id.</summary>
    public static int[] Next(int current) => current == End ? [] : [End, .. Enumerable.Range(2, Vocabulary - 2).Where(word => word > current)];

    /// <summary>Log-probabilities with the logarithm of their sum taken off.</summary>
    public static double[] Normalized(double[] logs)
    {
        double total = LogSum(logs);
        return [.. logs.Select(log => log - total)];
    }

    /// <summary>½·Σ|p − q|.</summary>
    public static double TotalVariation(IEnumerable<double> p, IEnumerable<double> q) => 0.5 * p.Zip(q, (x, y) => Math.Abs(x - y)).Sum();

    private static double LogSum(double[] logs)
    {
        double max = logs.Max();
        return max + Math.Log(logs.Sum(log => Math.Exp(log - max)));
    }

    private static IEnumerable<int[]> Continuations(int[] text) =>
        text[^1] == End ? [text] : Next(text[^1]).SelectMany(next => Continuations([.. text, next]));
}
