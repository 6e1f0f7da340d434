using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace DeRa.Tests;

/// <summary>
/// What a test needs and a machine may lack: the test is skipped by name, except in CI, whose script installs it: there it fails. Compiled into every
/// test project.
/// </summary>
internal static class Absent
{
    /// <summary>Whether absence is a failure.</summary>
    public static bool IsFailure => Environment.GetEnvironmentVariable("CI") == "true";

    /// <summary>Ends the test.</summary>
    /// <param name="what">What is missing.</param>
    [DoesNotReturn]
    public static void Skip(string what)
    {
        if (IsFailure)
        {
            Assert.Fail($"missing in CI: {what}");
        }

        Assert.Ignore(what);
        throw new UnreachableException();
    }
}
