using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>A set with a mistake fails the self-test: each mutant is caught by a check of the operation it spoils.</summary>
public sealed class MutationTests
{
    private static IEnumerable<Mutant> Mutants => LayerMutants.All.Concat(HeadMutants.All);

    [TestCaseSource(nameof(Mutants))]
    public void Mistake_is_reported(Mutant mutant)
    {
        using KernelSet set = mutant.Create();
        Assert.That(SelfTest.Run(set, mutant.Operation).Any(result => !result.Passed), Is.True, $"no check of {mutant.Operation} failed");
    }
}
