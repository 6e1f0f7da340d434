namespace DeRa.Kernels.Verification;

/// <summary>Rows that between them use every option of <see cref="HeadRow"/>.</summary>
internal static class HeadRows
{
    private static readonly float[] Lambdas = [0, 0.3f, 1, 2.5f];

    /// <summary>Row i gets λ, sampling options and adjustments by its number, so neighbours differ.</summary>
    public static (HeadRow[] Rows, TokenAdjustment[] Adjustments) Mixed(TestData data, HeadShape shape, float? lambda = null)
    {
        var rows = new HeadRow[shape.Rows];
        var adjustments = new List<TokenAdjustment>();
        for (int i = 0; i < rows.Length; i++)
        {
            HeadRow row = Options(i % 11) with
            {
                Lambda = lambda ?? (shape.ReferenceWidth == 0 ? 1 : shape.AlignedWidth == 0 ? 0 : Lambdas[i % Lambdas.Length]),
                SeedLow = 17,
                SeedHigh = (uint)shape.Vocabulary,
                Stream = (uint)(i / 3),
                Position = 5 + i,
                AdjustmentStart = adjustments.Count,
                TopTokens = new[] { 0, 1, 5, HeadLimits.MaxTopTokens }[i % 4],
            };
            if (i % 3 == 1)
            {
                int[] tokens = [.. data.Indices(Math.Min(20, shape.Vocabulary), shape.Vocabulary).Distinct().Order()];
                adjustments.AddRange(tokens.Select((token, n) => new TokenAdjustment
                {
                    TokenId = token,
                    InContext = n % 3 == 0 ? 0 : 1,
                    OutputCount = n % 4,
                    Bias = n == 2 ? float.NegativeInfinity : n % 5 == 3 ? (float)(2 * data.Normal()) : 0,
                }));
                row.AdjustmentCount = tokens.Length;
            }

            rows[i] = row;
        }

        return (rows, [.. adjustments]);
    }

    /// <summary>Every token of a small vocabulary is adjusted, so penalties decide most rows; greedy and drawn in turns.</summary>
    public static (HeadRow[] Rows, TokenAdjustment[] Adjustments) Penalised(TestData data, HeadShape shape)
    {
        HeadRow[] rows =
        [
            .. Enumerable.Range(0, shape.Rows).Select(i => HeadRow.Greedy(i % 2) with
            {
                Temperature = i % 2, RepetitionPenalty = new[] { 1, 1.5f, 0.7f }[i % 3], PresencePenalty = new[] { 0.8f, 0, -0.6f }[i / 3 % 3],
                FrequencyPenalty = new[] { 0, 0.5f, -0.3f }[i / 9 % 3], Stream = (uint)i, AdjustmentStart = i * shape.Vocabulary,
                AdjustmentCount = shape.Vocabulary,
            }),
        ];
        TokenAdjustment[] adjustments =
        [
            .. Enumerable.Range(0, rows.Length * shape.Vocabulary).Select(n => new TokenAdjustment
            {
                TokenId = n % shape.Vocabulary, InContext = data.Below(2), OutputCount = data.Below(4),
                Bias = data.Below(3) == 0 ? (float)data.Normal() : 0,
            }),
        ];
        return (rows, adjustments);
    }

    /// <summary>The same row with streams 0, 1, 2, …</summary>
    public static HeadRow[] Streams(HeadRow row, int count) =>
        [.. Enumerable.Range(0, count).Select(i => row with { Stream = (uint)i })];

    private static HeadRow Options(int number)
    {
        HeadRow row = HeadRow.Greedy(0) with { RepetitionPenalty = 1.3f, PresencePenalty = 0.4f, FrequencyPenalty = 0.25f };
        return number switch
        {
            0 => row,
            1 => row with { Temperature = 1 },
            2 => row with { Temperature = 0.7f, TopK = 5 },
            3 => row with { Temperature = 1.5f, TopP = 0.9f },
            4 => row with { Temperature = 1, MinP = 0.05f },
            5 => row with { Temperature = 0.9f, TopK = 40, TopP = 0.8f, MinP = 0.02f },
            6 => row with { Temperature = 1, TopK = 1 },
            7 => row with { Temperature = 3, TopK = 900, TopP = 0.99f },
            8 => row with { Temperature = 1, TopP = 0.01f },
            9 => row with { Temperature = 1, TopK = 1_000_000, MinP = 1 },
            _ => row with { Temperature = 2, TopP = 0.999f },
        };
    }
}
