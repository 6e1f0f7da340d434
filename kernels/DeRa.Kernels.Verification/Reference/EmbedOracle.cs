namespace DeRa.Kernels.Verification;

/// <summary>output[t] = scale · table[tokens[t]] (+ positionTable[positions[t]]).</summary>
public static class EmbedOracle
{
    /// <summary>ε: one product and one sum, 2 u of their magnitudes.</summary>
    /// <param name="tokens">[tokens].</param>
    /// <param name="table">[vocab, hidden].</param>
    /// <param name="scale">Multiplies the token's embedding.</param>
    /// <param name="positions">[tokens], or null.</param>
    /// <param name="positionTable">[positions, hidden], or null.</param>
    public static Expected Compute(int[] tokens, double[,] table, double scale, int[]? positions, double[,]? positionTable) =>
        Expected.Of(tokens.Length, table.GetLength(1), (t, i) =>
        {
            double token = scale * table[tokens[t], i];
            double position = positionTable is null ? 0 : positionTable[positions![t], i];
            return (token + position, 2 * Rounding.Unit * (Math.Abs(token) + Math.Abs(position)));
        });
}
