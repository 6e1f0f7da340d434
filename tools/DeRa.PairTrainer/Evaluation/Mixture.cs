using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Evaluation;

/// <summary>The realigned distribution of one position, in float64.</summary>
internal sealed class Mixture(int vocab)
{
    private readonly double[] reference = new double[vocab];  // log p_r
    private readonly double[] mixed = new double[vocab];      // z_λ, then log p_λ
    private readonly double[] probabilities = new double[vocab];

    /// <summary>Sets the distribution from one row of one model's logits [rows, vocab].</summary>
    public void Update(float[] logits, int row)
    {
        for (int i = 0; i < vocab; i++)
            mixed[i] = logits[row * vocab + i];
        double normalizer = VectorMath.LogSumExp<double>(mixed);
        for (int i = 0; i < vocab; i++)
            probabilities[i] = Math.Exp(mixed[i] - normalizer);
    }

    /// <summary>Sets the distribution from one row of both models' logits [rows, vocab] and returns KL(p_λ‖p_r) in nats.</summary>
    public double Update(float[] referenceLogits, float[] alignedLogits, int row, double lambda)
    {
        for (int i = 0; i < vocab; i++)
        {
            reference[i] = referenceLogits[row * vocab + i];
            mixed[i] = (1 - lambda) * reference[i] + lambda * alignedLogits[row * vocab + i];
        }

        double referenceNormalizer = VectorMath.LogSumExp<double>(reference);
        double mixedNormalizer = VectorMath.LogSumExp<double>(mixed);
        double kl = 0;
        for (int i = 0; i < vocab; i++)
        {
            reference[i] -= referenceNormalizer;
            mixed[i] -= mixedNormalizer;
            probabilities[i] = Math.Exp(mixed[i]);
            kl += probabilities[i] * (mixed[i] - reference[i]);
        }

        return kl;
    }

    /// <summary>Draws a token by inverting the cumulative distribution.</summary>
    public int Sample(DeterministicRandom random)
    {
        double remaining = random.NextDouble();
        int last = 0;
        for (int i = 0; i < vocab; i++)
        {
            if (probabilities[i] > 0)
                last = i;
            remaining -= probabilities[i];
            if (remaining < 0)
                return i;
        }

        // Rounding can leave a remainder of about 1e-15; it belongs to the last token that has any probability.
        return last;
    }
}
