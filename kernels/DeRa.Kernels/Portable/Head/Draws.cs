using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Step 5 of the definition of <see cref="HeadRow"/> over a list of scores.</summary>
internal static class Draws
{
    /// <summary>
    /// argmax of s + g, or of s if greedy, over the scores that are at least <paramref name="least"/>, the lowest id among equals. Called by every member of the group;
    /// all get the token.
    /// </summary>
    public static int Among<TForm>(
        ArrayView<float> scores, ArrayView<int> tokens, long first, int count, uint least, HeadRow row, HeadMemory memory)
        where TForm : struct, IGroupForm
    {
        float best = float.NegativeInfinity;
        int bestToken = int.MaxValue;
        for (int i = Group.IdxX; i < count; i += Group.DimX)
        {
            float score = scores[first + i];
            if (OrderedBits.Of(score) >= least)
            {
                int token = tokens[first + i];
                float value = row.Temperature == 0f
                    ? score
                    : score + GumbelNoise.FromBits(GumbelNoise.Bits(row.SeedLow, row.SeedHigh, row.Stream, row.Position, token));
                if (TileFold.IsBetter(value, token, best, bestToken))
                {
                    best = value;
                    bestToken = token;
                }
            }
        }

        return Best<TForm>(memory.Values, memory.Tokens, best, bestToken);
    }

    /// <summary>The token of the group's best value; all members get it, and the value is left in element 0 of values.</summary>
    public static int Best<TForm>(ArrayView<float> values, ArrayView<int> tokens, float value, int token)
        where TForm : struct, IGroupForm
    {
        int thread = Group.IdxX;
        TForm.Barrier();
        values[thread] = value;
        tokens[thread] = token;
        TForm.Barrier();
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            for (int i = thread; i < half; i += Group.DimX)
            {
                if (TileFold.IsBetter(values[i + half], tokens[i + half], values[i], tokens[i]))
                {
                    values[i] = values[i + half];
                    tokens[i] = tokens[i + half];
                }
            }

            TForm.Barrier();
        }

        return tokens[0];
    }
}
