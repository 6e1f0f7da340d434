namespace DeRa.Kernels.Portable;

/// <summary>
/// Σ e^(x − Max) and Σ e^(x − Max)·d over values met so far, Max the largest of them: the one reduction of softmax, KL and scores. Values of −∞
/// weigh nothing; an empty one has Max = −∞ and Sum = 0.
/// </summary>
internal struct RunningMoment
{
    public float Max;
    public float Sum;
    public float Difference;

    /// <summary>Of no values.</summary>
    public static RunningMoment Empty() => new() { Max = float.NegativeInfinity };

    /// <summary>With one more value.</summary>
    public static RunningMoment Add(RunningMoment to, float x, float d)
    {
        if (x == float.NegativeInfinity)
        {
            return to;
        }

        if (x <= to.Max)
        {
            float weight = MathF.Exp(x - to.Max);
            return new() { Max = to.Max, Sum = to.Sum + weight, Difference = to.Difference + weight * d };
        }

        float scale = to.Sum == 0 ? 0 : MathF.Exp(to.Max - x);
        return new() { Max = x, Sum = to.Sum * scale + 1f, Difference = to.Difference * scale + d };
    }

    /// <summary>Of the values of both, <paramref name="a"/>'s first.</summary>
    public static RunningMoment Merge(RunningMoment a, RunningMoment b)
    {
        if (b.Sum == 0)
        {
            return a;
        }

        if (a.Sum == 0)
        {
            return b;
        }

        float max = a.Max > b.Max ? a.Max : b.Max, left = MathF.Exp(a.Max - max), right = MathF.Exp(b.Max - max);
        return new() { Max = max, Sum = a.Sum * left + b.Sum * right, Difference = a.Difference * left + b.Difference * right };
    }

    /// <summary>log Σ e^x.</summary>
    public readonly float LogSum() => Max + MathF.Log(Sum);
}
