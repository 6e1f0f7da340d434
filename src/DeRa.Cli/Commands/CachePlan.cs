using DeRa.Engine;
using DeRa.Models;

namespace DeRa.Cli.Commands;

/// <summary>How large the caches must be for requests that are known beforehand.</summary>
internal static class CachePlan
{
    /// <summary>Past this the sequences queue rather than take more memory; one longer request still gets what it needs.</summary>
    private const long MostPositions = 65_536;

    private const int Limit = int.MaxValue - KvCache.BlockSize;

    public static int Positions(IReadOnlyList<GenerationRequest> requests) =>
        Positions(requests.SelectMany(request => Enumerable.Repeat(
            (int)Math.Min(Limit, (long)request.PromptTokens.Count + Math.Max(1, request.MaxTokens)), Math.Max(1, request.Samples))));

    public static int Positions(IEnumerable<int> lengths)
    {
        long largest = 0, sum = 0;
        foreach (int length in lengths)
        {
            long needed = (long)KvCache.BlocksFor(Math.Min(Limit, length)) * KvCache.BlockSize;
            largest = Math.Max(largest, needed);
            sum += needed;
        }

        return (int)Math.Min(Limit, Math.Max(KvCache.BlockSize, Math.Max(largest, Math.Min(sum, MostPositions))));
    }
}
