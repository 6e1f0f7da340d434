using System.Diagnostics.CodeAnalysis;

namespace DeRa.Engine;

/// <summary>Loads an engine once, at the first call or ahead of it, for all who ask; thread-safe. Disposing of it finishes the engine's work.</summary>
/// <param name="options">What to load.</param>
public sealed class EngineLoader(EngineOptions options) : IAsyncDisposable, IDisposable
{
    private readonly Lock gate = new();
    private Task<RealignmentEngine>? engine;
    private bool disposed;

    /// <summary>The engine, loaded by the first call; a load that failed is tried again by the next.</summary>
    /// <param name="cancellationToken">Ends the wait, not the load, which others may be waiting for.</param>
    /// <exception cref="ObjectDisposedException">The loader has been disposed of.</exception>
    [SuppressMessage("Reliability", "CA2016", Justification = "one caller's cancellation must not end what the others wait for")]
    public Task<RealignmentEngine> GetAsync(CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (engine is null or { IsFaulted: true } or { IsCanceled: true })
            {
                engine = RealignmentEngine.LoadAsync(options, CancellationToken.None);
            }

            return engine.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Task<RealignmentEngine>? loaded;
        lock (gate)
        {
            disposed = true;
            loaded = engine;
        }

        if (loaded is not null)
        {
            await ((Task)loaded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (loaded.IsCompletedSuccessfully)
            {
                await loaded.Result.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}
