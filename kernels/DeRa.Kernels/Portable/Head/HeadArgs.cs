using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>A <see cref="HeadModel"/> as a kernel sees it; SoftCap 0 is none.</summary>
internal struct HeadModelView
{
    public int IsPresent;
    public MatrixView Hidden;
    public WeightView Output;
    public WeightView Bias;
    public float SoftCap;

    /// <summary>Whether a logit is anything but its dot product.</summary>
    public readonly bool BendsLogits => Bias.IsPresent != 0 || SoftCap > 0;

    /// <summary>The logit of a token from its dot product.</summary>
    public readonly float Logit(float dot, int token)
    {
        float logit = Bias.IsPresent != 0 ? dot + Bias.At(token) : dot;
        return SoftCap > 0 ? ActivationMath.SoftCap(logit, SoftCap) : logit;
    }
}

/// <summary>Arguments of the fused head's kernels.</summary>
internal struct HeadArgs
{
    /// <summary>Tokens of a tile: the vocabulary is divided alike for every number of rows and every device.</summary>
    public const int Tile = 128;

    /// <summary>Tokens projected for one model and then the other, so that a shared output weight is still in the cache.</summary>
    public const int Part = 64;

    /// <summary>Candidates kept of a tile: as many as top tokens can be asked for, so that those never need another sweep.</summary>
    public const int Candidates = HeadLimits.MaxTopTokens;

    /// <summary>Bins of a radix search's step: eight bits.</summary>
    public const int Bins = 256;

    public HeadModelView Reference;
    public HeadModelView Aligned;
    public int Vocabulary;
    public int Statistics;
    public ArrayView<HeadRow> Rows;
    public ArrayView<TokenAdjustment> Adjustments;
    public ArrayView<HeadResult> Results;
    public ArrayView<TopToken> TopTokens;
    public int HasTopTokens;

    /// <summary>[rows, tiles].</summary>
    public ArrayView<TileFold> Folds;

    /// <summary>[rows, tiles, Candidates] largest scores of each tile, largest first.</summary>
    public ArrayView<float> CutScores;

    /// <summary>Tokens of <see cref="CutScores"/>.</summary>
    public ArrayView<int> CutTokens;

    /// <summary>[rows, tiles] the largest score that is no candidate; −∞ when all are.</summary>
    public ArrayView<float> CutBounds;

    /// <summary>[rows, tiles, Candidates] largest mixture logits of each tile.</summary>
    public ArrayView<float> TopScores;

    /// <summary>Tokens of <see cref="TopScores"/>.</summary>
    public ArrayView<int> TopIds;

    /// <summary>[row blocks] arrivals.</summary>
    public ArrayView<int> Counters;

    /// <summary>[rows] <see cref="SweepStage"/> of the row's search.</summary>
    public ArrayView<int> Stages;

    /// <summary>[rows] the search.</summary>
    public ArrayView<SweepState> States;

    /// <summary>[rows, tiles, 2, Bins] counts and masses of a search's step.</summary>
    public ArrayView<float> Histograms;

    /// <summary>Rows of hidden states.</summary>
    public readonly int RowCount => Aligned.Hidden.Rows;

    /// <summary>Blocks of rows.</summary>
    public readonly int RowBlocks(int block) => (RowCount + block - 1) / block;

    /// <summary>Tiles of the vocabulary.</summary>
    public readonly int Tiles => (Vocabulary + Tile - 1) / Tile;
}

/// <summary>Where the search for a row's cut stands between sweeps.</summary>
internal static class SweepStage
{
    /// <summary>Settled.</summary>
    public const int Done = 0;

    /// <summary>Searching the k-th largest score.</summary>
    public const int TopK = 1;

    /// <summary>Searching the least score of the top mass.</summary>
    public const int TopP = 2;

    /// <summary>The cut is known; drawing.</summary>
    public const int Draw = 3;
}

/// <summary>
/// A radix search on the ordered bits of the scores: the smallest u such that the weight of scores above u is below the target. Eight bits a
/// sweep, from the highest.
/// </summary>
internal struct SweepState
{
    public TileFold Fold;
    public uint Prefix;
    public int Shift;
    public float Target;
    public float Above;
    public float MassAbove;
    public uint Least;
}
