using System.Globalization;
using System.Security.Cryptography;

namespace DeRa.Evaluation;

/// <summary>
/// How many words of a response are in a list, every occurrence counted. A word is a maximal run of letters, compared without regard to case. A line
/// of the list is a word, or a word, a tab and its weight in place of 1; blank lines and lines that begin with # are passed over.
/// </summary>
public sealed class LexiconReward : PureReward
{
    private readonly Dictionary<string, double> weights;

    private LexiconReward(string file, Dictionary<string, double> weights, string hash)
        : base("lexicon:" + file)
    {
        this.weights = weights;
        ContentHash = hash;
    }

    /// <inheritdoc />
    public override string? ContentHash { get; }

    /// <summary>Loads a list.</summary>
    /// <exception cref="EvaluationException">No such file, no words, a line of another form, a word twice.</exception>
    public static LexiconReward Load(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        string name = $"reward lexicon:{file}";
        if (!File.Exists(file))
        {
            throw new EvaluationException($"{name}: expected a file, found {(Directory.Exists(file) ? "a folder" : "nothing")}");
        }

        byte[] content = File.ReadAllBytes(file);
        var weights = new Dictionary<string, double>(StringComparer.Ordinal);
        int number = 0;
        foreach (string line in Utf8Lines.Read(new MemoryStream(content), name))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line.StartsWith('#'))
            {
                continue;
            }

            string[] parts = line.Split('\t');
            string word = parts[0].Trim();
            double weight = 1;
            if (word.Length == 0 || !word.All(char.IsLetter) || parts.Length > 2
                || (parts.Length == 2 && !(double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out weight) && double.IsFinite(weight))))
            {
                throw new EvaluationException($"{name}, line {number}: expected a word of letters, or a word, a tab and a number, found '{line}'");
            }

            if (!weights.TryAdd(word.ToLowerInvariant(), weight))
            {
                throw new EvaluationException($"{name}, line {number}: the word '{word}' is there twice");
            }
        }

        return weights.Count > 0
            ? new LexiconReward(file, weights, Convert.ToHexStringLower(SHA256.HashData(content)))
            : throw new EvaluationException($"{name}: expected at least one word, found none");
    }

    /// <inheritdoc />
    public override double Score(RewardSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        string text = sample.Response;
        double sum = 0;
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool letter = i < text.Length && char.IsLetter(text[i]);
            if (letter && start < 0)
            {
                start = i;
            }
            else if (!letter && start >= 0)
            {
                sum += weights.GetValueOrDefault(text[start..i].ToLowerInvariant());
                start = -1;
            }
        }

        return sum;
    }
}
