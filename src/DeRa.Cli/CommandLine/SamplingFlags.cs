using System.CommandLine;
using System.Globalization;
using DeRa.Engine;

namespace DeRa.Cli.CommandLine;

/// <summary>The flags that shape how tokens are drawn and when to stop.</summary>
internal sealed class SamplingFlags
{
    private readonly Option<float> temperature = Number("--temperature", "Divides the logits; 0 is greedy", 1);
    private readonly Option<int> topK = new("--top-k") { Description = "Keep the k most likely tokens; 0 keeps all", HelpName = "K" };
    private readonly Option<float> topP = Number("--top-p", "Keep the smallest set of most likely tokens with this mass", 1);
    private readonly Option<float> minP = Number("--min-p", "Keep tokens at least this likely relative to the most likely one", 0);
    private readonly Option<float> repetition = Number("--repetition-penalty", "Divide positive, multiply negative logits of tokens seen in prompt or output", 1);
    private readonly Option<float> presence = Number("--presence-penalty", "Subtract once from logits of tokens put out before", 0);
    private readonly Option<float> frequency = Number("--frequency-penalty", "Subtract per earlier output of a token", 0);
    private readonly Option<string[]> bias = new("--logit-bias") { Description = "id=value, added to a token's logit; -inf forbids it. May be given often", DefaultValueFactory = _ => [], HelpName = "ID=VALUE" };
    private readonly Option<bool> coupled = new("--coupled") { Description = "Key the noise by the prompt too: the same under every λ, independent between prompts" };
    private readonly Option<int> maxTokens = new("--max-tokens") { Description = "Most tokens to put out", DefaultValueFactory = _ => 128, HelpName = "N" };
    private readonly Option<string[]> stop = new("--stop") { Description = "Text that ends the output; it is cut before it. May be given often", DefaultValueFactory = _ => [], HelpName = "TEXT" };
    private readonly Option<bool> ignoreEos = new("--ignore-eos") { Description = "Do not stop at end-of-sequence tokens" };

    /// <summary>The seed by itself.</summary>
    public Option<ulong> Seed { get; } = new("--seed") { Description = "Same seed, same tokens", HelpName = "N" };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [maxTokens, temperature, topK, topP, minP, repetition, presence, frequency, bias, Seed, coupled, stop, ignoreEos])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>A request with everything but prompt and λ.</summary>
    public GenerationRequest Read(ParseResult parsed) => new()
    {
        PromptTokens = [],
        MaxTokens = parsed.GetValue(maxTokens),
        StopTexts = parsed.GetValue(stop)!,
        StopTokens = parsed.GetValue(ignoreEos) ? [] : null,
        Sampling = new SamplingOptions
        {
            Temperature = parsed.GetValue(temperature),
            TopK = parsed.GetValue(topK),
            TopP = parsed.GetValue(topP),
            MinP = parsed.GetValue(minP),
            RepetitionPenalty = parsed.GetValue(repetition),
            PresencePenalty = parsed.GetValue(presence),
            FrequencyPenalty = parsed.GetValue(frequency),
            LogitBias = Biases(parsed.GetValue(bias)!),
            Seed = parsed.GetValue(Seed),
            Coupled = parsed.GetValue(coupled),
        },
    };

    private static Dictionary<int, float> Biases(string[] entries)
    {
        var biases = new Dictionary<int, float>();
        foreach (string entry in entries)
        {
            string[] parts = entry.Split('=');
            if (parts.Length != 2
                || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                || !TryBias(parts[1], out float value))
            {
                throw new InputException($"--logit-bias {entry}: expected a token id and a number, as in 42=-1.5 or 42=-inf");
            }

            biases[id] = value;
        }

        return biases;
    }

    private static bool TryBias(string text, out float value)
    {
        value = float.NegativeInfinity;
        return text == "-inf" || float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static Option<float> Number(string name, string description, float defaultValue) =>
        new(name) { Description = description, DefaultValueFactory = _ => defaultValue, HelpName = "X" };
}
