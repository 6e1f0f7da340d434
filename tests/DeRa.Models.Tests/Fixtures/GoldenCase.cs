using System.Runtime.InteropServices;
using System.Text.Json;

namespace DeRa.Models.Tests;

/// <summary>One golden model pair with its expected results (tests/Golden/models).</summary>
internal sealed class GoldenCase
{
    /// <summary>Largest difference of a float32 engine on logits with a standard deviation of about 3.</summary>
    public const double LogitTolerance = 5e-4;

    /// <summary>A greedy step whose two best logits are closer than this may fall either way.</summary>
    public const double MarginTolerance = 2e-3;

    private static readonly string Root = Path.Combine(RepositoryRoot.Path, "tests", "Golden", "models");
    private readonly byte[] values;
    private readonly JsonElement golden;

    public GoldenCase(string name)
    {
        Folder = Path.Combine(Root, name);
        golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "golden.json"))).RootElement;
        values = File.ReadAllBytes(Path.Combine(Folder, "golden.bin"));
    }

    public static IEnumerable<string> Names => Directory.EnumerateDirectories(Root).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal);

    public static IEnumerable<string> NamesWithVersion5Config =>
        Names.Where(name => File.Exists(Path.Combine(Root, name, "ref", "config_v5.json")));

    public string Folder { get; }

    public IEnumerable<GoldenSequence> Sequences => golden.GetProperty("sequences").EnumerateArray().Select(s => new GoldenSequence(
        s.GetProperty("id").GetString()!, Ints(s.GetProperty("input_ids")), Ints(s.GetProperty("greedy_ref")),
        Doubles(s.GetProperty("greedy_ref_margins")), Ints(s.GetProperty("greedy_aligned")), Doubles(s.GetProperty("greedy_aligned_margins"))));

    public IEnumerable<GoldenPair> Pairs => golden.GetProperty("pairs").EnumerateArray().SelectMany(p =>
    {
        GoldenSequence prompt = Sequences.Single(s => s.Id == p.GetProperty("seq").GetString());
        int[] continuation = Ints(p.GetProperty("continuation"));
        return p.GetProperty("lambdas").EnumerateArray().Select(l => new GoldenPair(
            prompt.InputIds, continuation, l.GetProperty("lambda").GetSingle(), Tensor(l.GetProperty("last_logprobs").GetString()!),
            Doubles(l.GetProperty("continuation_token_logprobs")), Doubles(l.GetProperty("kl_mix_ref_per_token")),
            Doubles(l.GetProperty("kl_mix_aligned_per_token")), Ints(l.GetProperty("greedy")), Doubles(l.GetProperty("greedy_margins"))));
    });

    public string SideFolder(string side) => Path.Combine(Folder, side);

    /// <summary>Logits [tokens · vocab] of a sequence under "ref" or "aligned".</summary>
    public float[] Logits(string sequence, string side) => Tensor($"{sequence}.{side}.logits");

    private float[] Tensor(string name)
    {
        JsonElement entry = golden.GetProperty("tensors").GetProperty(name);
        return MemoryMarshal.Cast<byte, float>(
            values.AsSpan(entry.GetProperty("offset").GetInt32(), entry.GetProperty("nbytes").GetInt32())).ToArray();
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];
}

internal sealed record GoldenSequence(
    string Id, int[] InputIds, int[] GreedyReference, double[] GreedyReferenceMargins, int[] GreedyAligned, double[] GreedyAlignedMargins);

internal sealed record GoldenPair(
    int[] Prompt, int[] Continuation, float Lambda, float[] LastLogProbs, double[] TokenLogProbs, double[] KlReference, double[] KlAligned,
    int[] Greedy, double[] GreedyMargins)
{
    /// <summary>Tolerance on log-probabilities and KLs: the errors of both models' logits, weighted as the mixture weights them.</summary>
    public double Tolerance => GoldenCase.LogitTolerance * (Math.Abs(1 - Lambda) + Math.Abs(Lambda));
}
