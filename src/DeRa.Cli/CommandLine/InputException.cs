namespace DeRa.Cli.CommandLine;

/// <summary>A flag, a file or a line of input that cannot be used; the message names it, what was expected and what was found.</summary>
internal sealed class InputException(string message) : Exception(message);
