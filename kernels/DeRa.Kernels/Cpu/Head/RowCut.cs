namespace DeRa.Kernels.Cpu;

/// <summary>What a row waits for from the next sweep over the vocabulary.</summary>
internal enum CutStage
{
    /// <summary>Nothing: the token is drawn.</summary>
    Done,

    /// <summary>A digit of the k-th largest value.</summary>
    TopK,

    /// <summary>A digit of the value at which the mass p is reached.</summary>
    TopP,

    /// <summary>The draw above a known threshold.</summary>
    Draw,
}

/// <summary>
/// Finds one row's threshold: keep s ≥ threshold is the definition of <see cref="HeadRow"/>'s top-k, top-p and min-p together. First from a list
/// of the best candidates, exact above a limit; where that cannot settle it, by radix selection over the ordered bits of s, three sweeps of 11, 11
/// and 10 bits for each of top-k and top-p.
/// </summary>
internal unsafe struct RowCut
{
    private const int Levels = 3;

    /// <summary>Largest s of the row.</summary>
    public float Max;

    /// <summary>Σ e^(s − Max) over the vocabulary.</summary>
    public double Sum;

    /// <summary>What is missing.</summary>
    public CutStage Stage;

    /// <summary>The smallest s kept, once known.</summary>
    public float Threshold;

    private float topKThreshold, topPThreshold;
    private bool topKKnown, topPKnown;
    private double keptMass; // of the top-k set
    private int level;
    private uint prefix;
    private long countAbove, massAbove;

    /// <summary>Lowest bit of the digit being counted.</summary>
    public readonly int Shift => level switch { 0 => 21, 1 => 10, _ => 0 };

    /// <summary>Values of that digit.</summary>
    public readonly int BinCount => level == 2 ? 1024 : 2048;

    /// <summary>Whether a row is cut at all.</summary>
    public static bool IsNeeded(HeadRow* row, int vocabulary) =>
        row->Temperature > 0 && ((row->TopK > 0 && row->TopK < vocabulary) || row->TopP < 1 || row->MinP > 0);

    /// <summary>Whether a value has the digits found so far.</summary>
    public readonly bool Matches(uint key) => level == 0 || key >> (level == 1 ? 21 : 10) == prefix;

    /// <summary>
    /// Goes as far as the candidates allow. Afterwards <see cref="Stage"/> is Draw with the <see cref="Threshold"/> known, or says which digit
    /// is missing.
    /// </summary>
    /// <param name="row">The row's options.</param>
    /// <param name="sorted">The largest values in descending order: every s &gt; <paramref name="limit"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="limit">Values at or below may be missing; −∞ if none is.</param>
    /// <param name="vocabulary">Tokens of the row.</param>
    public void Settle(HeadRow* row, Candidate* sorted, int count, float limit, int vocabulary)
    {
        bool complete = float.IsNegativeInfinity(limit);
        bool limitsCount = row->TopK > 0 && row->TopK < vocabulary;
        if (!topKKnown)
        {
            topKThreshold = float.NegativeInfinity;
            keptMass = Sum * CutHistogram.One;
            if (limitsCount && row->TopK <= count)
            {
                topKThreshold = sorted[row->TopK - 1].Value;
                keptMass = MassFrom(sorted, count, topKThreshold, Max);
            }
            else if (limitsCount && !complete)
            {
                Search(CutStage.TopK);
                return;
            }

            topKKnown = true;
        }

        if (!topPKnown && row->TopP < 1 && !TopPFromCandidates(row->TopP * keptMass, sorted, count, limit))
        {
            Search(CutStage.TopP);
            return;
        }

        float threshold = row->TopP < 1 ? MathF.Max(topKThreshold, topPThreshold) : topKThreshold;
        if (row->MinP > 0)
        {
            threshold = MathF.Max(threshold, Max + MathF.Log(row->MinP));
        }

        Threshold = MathF.Min(threshold, Max); // the most likely token is always kept
        Stage = CutStage.Draw;
    }

    /// <summary>Takes the digit that a sweep has counted; clears the histogram for the next one.</summary>
    public void Advance(HeadRow* row, CutHistogram* histogram)
    {
        double target = Stage == CutStage.TopK ? row->TopK : row->TopP * keptMass;
        int bin = BinCount - 1;
        for (; bin > 0; bin--)
        {
            double reached = Stage == CutStage.TopK ? countAbove + histogram->Counts[bin] : massAbove + histogram->Masses[bin];
            if (reached >= target && histogram->Counts[bin] > 0)
            {
                break;
            }

            countAbove += histogram->Counts[bin];
            massAbove += histogram->Masses[bin];
        }

        prefix = level == 0 ? (uint)bin : (prefix << (level == 1 ? 11 : 10)) | (uint)bin;
        level++;
        if (level == Levels)
        {
            float found = OrderedBits.ToSingle(prefix);
            if (float.IsNaN(found))
            {
                found = float.NegativeInfinity; // rounding left the target a hair above the whole mass: everything is kept
            }

            if (Stage == CutStage.TopK)
            {
                topKThreshold = found;
                keptMass = massAbove + histogram->Masses[bin];
                topKKnown = true;
            }
            else
            {
                topPThreshold = found;
                topPKnown = true;
            }
        }

        histogram->Clear();
    }

    /// <summary>Whether all digits of the stage are found, so that <see cref="Settle"/> can go on.</summary>
    public readonly bool IsLevelComplete => level == Levels;

    private static double MassFrom(Candidate* sorted, int count, float threshold, float max)
    {
        long mass = 0;
        for (int i = 0; i < count && sorted[i].Value >= threshold; i++)
        {
            mass += CutHistogram.MassOf(sorted[i].Value, max);
        }

        return mass;
    }

    private void Search(CutStage stage)
    {
        Stage = stage;
        level = 0;
        prefix = 0;
        countAbove = 0;
        massAbove = 0;
    }

    private bool TopPFromCandidates(double target, Candidate* sorted, int count, float limit)
    {
        long mass = 0;
        topPThreshold = Max;
        for (int i = 0; i < count; i++)
        {
            bool isNew = i == 0 || sorted[i].Value != sorted[i - 1].Value;
            if (isNew && mass >= target)
            {
                topPKnown = true;
                return true;
            }

            topPThreshold = sorted[i].Value;
            mass += CutHistogram.MassOf(sorted[i].Value, Max);
        }

        // All values above the limit are kept. That settles it if they hold the mass, or nothing else is left, or the rest is below top-k's cut.
        topPKnown = mass >= target || float.IsNegativeInfinity(limit) || topKThreshold > limit;
        return topPKnown;
    }
}
