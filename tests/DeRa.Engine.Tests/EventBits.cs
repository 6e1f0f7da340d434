namespace DeRa.Engine.Tests;

/// <summary>What events say, as bits, so that equal means equal.</summary>
internal static class EventBits
{
    public static int[] Of(IEnumerable<TokenEvent> events) =>
    [
        .. events.SelectMany(token => (int[])
        [
            token.TokenId,
            .. ((float[])[token.Lambda, token.LogProb, token.LogProbReference ?? -1, token.LogProbAligned ?? -1, token.KlReference ?? -1, .. token.TopTokens.Select(top => top.LogProb)])
                .Select(BitConverter.SingleToInt32Bits),
        ]),
    ];
}
