namespace DeRa.Kernels.Cpu;

/// <summary>Σ e^(x − Max) with its maximum; the sum in float64, so that adding up hundreds of tiles costs no digits.</summary>
internal struct ExponentialSum
{
    /// <summary>The maximum.</summary>
    public float Max;

    /// <summary>Σ e^(x − Max).</summary>
    public double Sum;

    /// <summary>Σ e^(x − Max)·d, where a difference d is kept.</summary>
    public double Weighted;

    /// <summary>Of nothing.</summary>
    public static ExponentialSum Empty => new() { Max = float.NegativeInfinity };

    /// <summary>ln Σ e^x.</summary>
    public readonly double Log => Max + Math.Log(Sum);

    /// <summary>Adds the sums of a later part.</summary>
    public void Merge(in ExponentialSum later)
    {
        if (float.IsNegativeInfinity(later.Max))
        {
            return;
        }

        if (later.Max > Max)
        {
            double scale = Math.Exp((double)Max - later.Max);
            Sum = Sum * scale + later.Sum;
            Weighted = Weighted * scale + later.Weighted;
            Max = later.Max;
        }
        else
        {
            double scale = later.Max == Max ? 1 : Math.Exp((double)later.Max - Max);
            Sum += later.Sum * scale;
            Weighted += later.Weighted * scale;
        }
    }
}

/// <summary>What a tile of the vocabulary says of one row.</summary>
internal struct HeadPartial
{
    /// <summary>Candidates for a cut that a tile hands on.</summary>
    public const int CandidateCapacity = 16;

    /// <summary>Of the mixture z, with d = z_a − z_r.</summary>
    public ExponentialSum Mixture;

    /// <summary>Of z_r.</summary>
    public ExponentialSum Reference;

    /// <summary>Of z_a.</summary>
    public ExponentialSum Aligned;

    /// <summary>Of s, for rows with a cut.</summary>
    public ExponentialSum Sampled;

    /// <summary>The tile's winner: largest z′, or largest s + g.</summary>
    public Candidate Best;

    /// <summary>Candidates in the tile's list.</summary>
    public int CandidateCount;

    /// <summary>Largest s that is not in the list.</summary>
    public float Discarded;

    /// <summary>Entries of the tile's list of most likely tokens.</summary>
    public int TopCount;
}

/// <summary>What is known of a row between sweeps.</summary>
internal struct HeadRowState
{
    /// <summary>ln Σ e^z.</summary>
    public double LogSum;

    /// <summary>ln Σ e^z_r.</summary>
    public double LogSumReference;

    /// <summary>ln Σ e^z_a.</summary>
    public double LogSumAligned;

    /// <summary>The cut in progress.</summary>
    public RowCut Cut;
}
