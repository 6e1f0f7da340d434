using System.Diagnostics.Metrics;
using DeRa.Engine;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers an engine with a service collection.</summary>
public static class DeRaEngineServiceCollectionExtensions
{
    /// <summary>
    /// Adds one engine for the whole application: an <see cref="EngineLoader"/>, whose <see cref="EngineLoader.GetAsync"/> loads at the first call, and
    /// the <see cref="RealignmentEngine"/> itself, which blocks where it is not loaded yet. The container's logging and meters are used unless the
    /// options have their own. Disposing of the container finishes what runs.
    /// </summary>
    /// <param name="services">The collection.</param>
    /// <param name="options">What to load.</param>
    public static IServiceCollection AddDeRaEngine(this IServiceCollection services, EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services.AddDeRaEngine(_ => options);
    }

    /// <inheritdoc cref="AddDeRaEngine(IServiceCollection, EngineOptions)"/>
    public static IServiceCollection AddDeRaEngine(this IServiceCollection services, Func<IServiceProvider, EngineOptions> options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(provider =>
        {
            EngineOptions given = options(provider);
            return new EngineLoader(given with
            {
                LoggerFactory = given.LoggerFactory ?? provider.GetService<ILoggerFactory>(),
                MeterFactory = given.MeterFactory ?? provider.GetService<IMeterFactory>(),
            });
        });
        services.TryAddSingleton(provider => provider.GetRequiredService<EngineLoader>().GetAsync().GetAwaiter().GetResult());
        return services;
    }
}
