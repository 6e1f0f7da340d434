namespace DeRa.Kernels.Portable;

/// <summary>What a part of the vocabulary says of one row: statistics of the mixture z, of both models, of the adjusted scores s, and the best
/// token so far. Folded in ascending order of token ids.</summary>
internal struct TileFold
{
    public RunningMoment Mixture;
    public RunningMoment Reference;
    public RunningMoment Aligned;
    public RunningMoment Scores;
    public float Best;
    public int BestToken;

    public static TileFold Empty() => new()
    {
        Mixture = RunningMoment.Empty(),
        Reference = RunningMoment.Empty(),
        Aligned = RunningMoment.Empty(),
        Scores = RunningMoment.Empty(),
        Best = float.NegativeInfinity,
        BestToken = int.MaxValue,
    };

    public static TileFold Merge(TileFold a, TileFold b)
    {
        bool second = IsBetter(b.Best, b.BestToken, a.Best, a.BestToken);
        return new()
        {
            Mixture = RunningMoment.Merge(a.Mixture, b.Mixture),
            Reference = RunningMoment.Merge(a.Reference, b.Reference),
            Aligned = RunningMoment.Merge(a.Aligned, b.Aligned),
            Scores = RunningMoment.Merge(a.Scores, b.Scores),
            Best = second ? b.Best : a.Best,
            BestToken = second ? b.BestToken : a.BestToken,
        };
    }

    /// <summary>Larger first, the lower id among equals.</summary>
    public static bool IsBetter(float value, int token, float thanValue, int thanToken) =>
        value > thanValue || (value == thanValue && token < thanToken);
}
