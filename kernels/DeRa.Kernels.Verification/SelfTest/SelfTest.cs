namespace DeRa.Kernels.Verification;

/// <summary>
/// Every operation of the contract against its float64 oracle, on odd shapes, all dtypes and hostile values. Used by <c>dera selftest</c> and
/// by the tests, one body for every kernel set.
/// </summary>
public static class SelfTest
{
    /// <summary>All checks, by operation.</summary>
    public static IReadOnlyList<SelfTestCase> Cases { get; } =
    [
        .. EmbedChecks.Cases(), .. RmsNormChecks.Cases(), .. LayerNormChecks.Cases(), .. LinearChecks.Cases(), .. RopeChecks.Cases(),
        .. AttentionChecks.Cases(), .. ActivationChecks.Cases(), .. FusedLayerChecks.Cases(), .. GatherChecks.Cases(), .. SoftCapChecks.Cases(),
        .. RealignHeadChecks.Cases(), .. RealignScoreChecks.Cases(), .. StoredLogitsChecks.Cases(), .. VerifyDraftsChecks.Cases(), .. RepeatChecks.Cases(),
        .. BatchChecks.Cases(),
    ];

    /// <summary>Runs the checks one after another, as they are asked for.</summary>
    /// <param name="set">The set under test.</param>
    /// <param name="operation">Only this operation's checks, or null for all.</param>
    public static IEnumerable<SelfTestResult> Run(KernelSet set, string? operation = null) =>
        Cases.Where(c => operation is null || c.Operation == operation).Select(c => c.Run(set));
}
