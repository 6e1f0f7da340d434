using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeRa.Engine;

namespace DeRa.Evaluation;

/// <summary>
/// What a sweep draws, in which order, and from which seeds. Everything follows from the inputs alone: a unit's key, seed and place do not depend on
/// workers, shards or interruptions.
/// </summary>
public sealed class SweepPlan
{
    private readonly SweepPrompt[] prompts;
    private readonly float[] lambdas;

    /// <summary>A plan.</summary>
    /// <param name="prompts">The prompts of the whole sweep, indices 0, 1, …</param>
    /// <param name="lambdas">λ values, none twice.</param>
    /// <param name="samples">Samples per prompt and λ.</param>
    /// <param name="seed">The sweep's seed.</param>
    /// <param name="coupled">Whether all λ of a prompt's sample draw with the same noise.</param>
    /// <param name="candidates">Candidates drawn per sample, of which one is kept; 1 keeps what is drawn.</param>
    /// <param name="shard">The part of it that is drawn here.</param>
    /// <exception cref="EvaluationException">No prompts, no λ, an id or a λ twice, a number out of range.</exception>
    public SweepPlan(
        IReadOnlyList<SweepPrompt> prompts, IReadOnlyList<float> lambdas, int samples, ulong seed = 0, bool coupled = true, int candidates = 1, Shard? shard = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(lambdas);
        Require(prompts.Count > 0, "prompts: expected at least one, found none");
        Require(lambdas.Count > 0, "lambda: expected at least one value, found none");
        Require(samples >= 1, $"samples: expected at least 1, found {samples}");
        Require(candidates >= 1, $"resample: expected at least 1 candidate, found {candidates}");
        foreach (IGrouping<float, float> twice in lambdas.GroupBy(lambda => lambda).Where(group => group.Count() > 1))
        {
            throw new EvaluationException(string.Create(CultureInfo.InvariantCulture, $"lambda: {twice.Key} is given {twice.Count()} times"));
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (SweepPrompt prompt in prompts)
        {
            Require(ids.Add(prompt.Id), $"prompt id '{prompt.Id}': given twice; ids tell results apart");
        }

        this.prompts = [.. prompts];
        this.lambdas = [.. lambdas.Order()];
        Samples = samples;
        Seed = seed;
        Coupled = coupled;
        Candidates = candidates;
        Shard = shard ?? Shard.Whole;
        ShardPrompts = [.. this.prompts.Where(prompt => Shard.Holds(prompt.Index))];
        Require(ShardPrompts.Count > 0, $"shard {Shard}: expected at most as many shards as prompts, found {prompts.Count} prompts");
    }

    /// <summary>Prompts of the whole sweep.</summary>
    public IReadOnlyList<SweepPrompt> Prompts => prompts;

    /// <summary>Prompts drawn here, in order.</summary>
    public IReadOnlyList<SweepPrompt> ShardPrompts { get; }

    /// <summary>λ values, ascending.</summary>
    public IReadOnlyList<float> Lambdas => lambdas;

    /// <summary>Samples per prompt and λ.</summary>
    public int Samples { get; }

    /// <summary>The sweep's seed.</summary>
    public ulong Seed { get; }

    /// <summary>Whether all λ of a prompt's sample draw with the same noise, which makes comparisons between λ sharper.</summary>
    public bool Coupled { get; }

    /// <summary>Candidates drawn per sample.</summary>
    public int Candidates { get; }

    /// <summary>The part of the sweep that is drawn here.</summary>
    public Shard Shard { get; }

    /// <summary>Units of one prompt.</summary>
    public int UnitsPerPrompt => lambdas.Length * Samples;

    /// <summary>Units drawn here.</summary>
    public int UnitCount => ShardPrompts.Count * UnitsPerPrompt;

    /// <summary>A prompt's units: λ by λ, sample by sample.</summary>
    public IEnumerable<SweepUnit> UnitsOf(SweepPrompt prompt) =>
        lambdas.SelectMany(lambda => Enumerable.Range(0, Samples).Select(sample => new SweepUnit(prompt, lambda, sample)));

    /// <summary>
    /// Seed and stream of one candidate. The seed is a hash of the sweep's (or the prompt's own) seed and the prompt's id and ids of tokens, so that
    /// prompts draw independently; of λ too where samples are not coupled.
    /// </summary>
    public (ulong Seed, uint Stream) Draw(SweepUnit unit, int candidate)
    {
        using IncrementalHash hash = PromptHash(unit.Prompt);
        if (!Coupled)
        {
            AppendNumber(hash, BitConverter.SingleToUInt32Bits(unit.Lambda));
        }

        return (BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset()), checked((uint)((unit.Sample * Candidates) + candidate)));
    }

    /// <summary>Standard Gumbel noise for the choice among candidates, the same at every λ where samples are coupled.</summary>
    public double ChoiceNoise(SweepUnit unit, int candidate)
    {
        (ulong seed, uint stream) = Draw(unit, candidate);
        var random = new SplitMix64(seed ^ (0xC401CEUL << 40) ^ stream);
        random.Next();
        return -Math.Log(-Math.Log(random.NextDouble()));
    }

    /// <summary>Names a unit by what it is made of: 16 hexadecimal digits.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="fingerprint">Hash of the settings it is drawn with.</param>
    public string Key(SweepUnit unit, string fingerprint)
    {
        using IncrementalHash hash = PromptHash(unit.Prompt);
        hash.AppendData(Encoding.UTF8.GetBytes(fingerprint));
        AppendNumber(hash, BitConverter.SingleToUInt32Bits(unit.Lambda));
        AppendNumber(hash, (ulong)unit.Sample);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    /// <summary>Requires that the samples are plain draws of the mixture, the only ones for which e^ΣA corrects.</summary>
    /// <exception cref="EvaluationException">Several candidates with a temperature, a cut, a penalty or a bias.</exception>
    public void CheckSampling(SamplingOptions sampling)
    {
        ArgumentNullException.ThrowIfNull(sampling);
        Require(
            Candidates == 1 || (sampling.Temperature == 1 && sampling.TopK == 0 && sampling.TopP == 1 && sampling.MinP == 0 && !sampling.AdjustsLogits),
            "resample: expected temperature 1 and no cut, penalty or bias, since its weights correct plain draws of the mixture only");
    }

    private IncrementalHash PromptHash(SweepPrompt prompt)
    {
        IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendNumber(hash, prompt.Seed ?? Seed);
        byte[] id = Encoding.UTF8.GetBytes(prompt.Id);
        AppendNumber(hash, (ulong)id.Length);
        hash.AppendData(id);
        foreach (int token in prompt.Tokens)
        {
            AppendNumber(hash, (ulong)token);
        }

        return hash;
    }

    private static void AppendNumber(IncrementalHash hash, ulong number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }

    private static void Require(bool met, string message)
    {
        if (!met)
        {
            throw new EvaluationException(message);
        }
    }
}
