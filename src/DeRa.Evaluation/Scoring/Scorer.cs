using System.Runtime.CompilerServices;
using DeRa.Engine;

namespace DeRa.Evaluation;

/// <summary>Scores any number of texts in their order: enough of them are with the engine at a time to fill its steps, and no more.</summary>
/// <param name="engine">Computes; other requests may run beside.</param>
public sealed class Scorer(RealignmentEngine engine)
{
    /// <summary>Texts with the engine at a time: more than run together, so that its queue never runs dry.</summary>
    private const int Window = 256;

    /// <summary>Scores texts.</summary>
    /// <param name="requests">Read as the engine gets to them.</param>
    /// <param name="cancellationToken">Ends the enumeration and what is with the engine.</param>
    /// <returns>Per text, one score per λ in the order given.</returns>
    /// <exception cref="RequestException">A text cannot be scored; the enumeration ends there.</exception>
    public async IAsyncEnumerable<IReadOnlyList<LambdaScore>> ScoreAsync(
        IEnumerable<ScoreRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new Queue<Task<IReadOnlyList<LambdaScore>>>();
        try
        {
            foreach (ScoreRequest request in requests)
            {
                running.Enqueue(engine.ScoreAsync(request, leaving.Token));
                if (running.Count == Window)
                {
                    yield return await running.Dequeue().ConfigureAwait(false);
                }
            }

            while (running.Count > 0)
            {
                yield return await running.Dequeue().ConfigureAwait(false);
            }
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
        }
    }
}
