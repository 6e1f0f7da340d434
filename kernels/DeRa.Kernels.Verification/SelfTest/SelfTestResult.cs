namespace DeRa.Kernels.Verification;

/// <summary>What one check found.</summary>
/// <param name="Operation">Operation of the contract.</param>
/// <param name="Case">Shapes, dtypes and options.</param>
/// <param name="Passed">Whether every output was within its tolerance.</param>
/// <param name="WorstError">|gt − kernel| of the output that came closest to its tolerance, or exceeded it most.</param>
/// <param name="Tolerance">c·|gt − ref| + ε of that output.</param>
/// <param name="Message">Empty, or what went wrong first: output, element, expected, found.</param>
public sealed record SelfTestResult(
    string Operation, string Case, bool Passed, double WorstError, double Tolerance, string Message);
