namespace DeRa.PairTrainer.Training;

/// <summary>Linear warm-up to a peak, then half a cosine down to a tenth of it.</summary>
internal sealed record LearningRate(double Peak, int WarmUpSteps, int Steps)
{
    /// <summary>The rate of a step, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmUpSteps)
            return Peak * (step + 1) / WarmUpSteps;
        double progress = (double)(step - WarmUpSteps) / Math.Max(1, Steps - WarmUpSteps);
        return Peak * (0.1 + 0.45 * (1 + Math.Cos(Math.PI * progress)));
    }
}
