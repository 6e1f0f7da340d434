using System.Text.Json;
using System.Text.Json.Serialization;
using DeRa.Engine;
using DeRa.Evaluation;

namespace DeRa.Cli.Output;

/// <summary>A line of <c>score</c>'s output for a text.</summary>
internal sealed record ScoredLine(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Id,
    IReadOnlyList<int> Tokens,
    int From,
    IReadOnlyList<ScoredLambda> Lambdas)
{
    public static ScoredLine Of(JsonElement? id, ScoreRequest request, IReadOnlyList<LambdaScore> scores) =>
        new(id, request.Tokens, request.From, [.. scores.Select(score => ScoredLambda.Of(score))]);

    /// <summary>What a summary needs of it, per λ.</summary>
    public IReadOnlyList<ScoreFigures> Figures() =>
    [
        .. Lambdas.Select(lambda => new ScoreFigures(
            lambda.TokenLogprobs.Count, lambda.LogLikelihood, lambda.KlReference.Sum(), lambda.KlAligned.Sum(), lambda.SequenceGap)),
    ];
}

/// <summary>A text under one λ.</summary>
internal sealed record ScoredLambda(
    float Lambda,
    double LogLikelihood,
    IReadOnlyList<double> TokenLogprobs,
    IReadOnlyList<double> KlReference,
    IReadOnlyList<double> KlAligned,
    IReadOnlyList<double> LogNormalizer,
    double SequenceGap)
{
    public static ScoredLambda Of(LambdaScore score) =>
        new(score.Lambda, score.LogLikelihood, score.TokenLogProbs, score.KlReference, score.KlAligned, score.LogNormalizer, score.SequenceGap);
}

/// <summary>A line of <c>score</c>'s output for a preference pair.</summary>
internal sealed record ScoredPair(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Id,
    ScoredLine Chosen,
    ScoredLine Rejected,
    IReadOnlyList<ScoredPreference> Lambdas)
{
    public static ScoredPair Of(JsonElement? id, ScoredLine chosen, ScoredLine rejected) =>
        new(id, chosen, rejected, [.. chosen.Figures().Zip(rejected.Figures(), (better, worse) => (better, worse)).Select((pair, i) =>
            new ScoredPreference(chosen.Lambdas[i].Lambda, pair.better.MeanLogprob, pair.worse.MeanLogprob, pair.better.MeanLogprob > pair.worse.MeanLogprob))]);
}

/// <summary>A pair under one λ, by length-normalised log-likelihoods.</summary>
internal sealed record ScoredPreference(float Lambda, double ChosenMeanLogprob, double RejectedMeanLogprob, bool PrefersChosen);
