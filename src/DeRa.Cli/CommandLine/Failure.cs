using System.Text.Json;
using DeRa.Checkpoints;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;
using DeRa.Kernels;
using DeRa.Models;
using DeRa.Tokenization;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Cli.CommandLine;

/// <summary>Turns an exception into one line on stderr and an exit code.</summary>
internal static class Failure
{
    public static int Report(Exception exception)
    {
        switch (exception)
        {
            case OperationCanceledException:
                Console.Error.WriteLine("dera: interrupted");
                return ExitCode.Interrupted;
            case OutputClosedException:
                return ExitCode.Done;
            case InputException or CheckpointException or TokenizerException or ChatTemplateException or RequestException or PairMismatchException
                or EvaluationException or ModelInputException or JsonException or IOException or UnauthorizedAccessException:
                Console.Error.WriteLine($"dera: {exception.Message}");
                return ExitCode.BadInput;
            case DeviceException or RewardException:
                Console.Error.WriteLine($"dera: {exception.Message}");
                return ExitCode.Failed;
            default:
                Console.Error.WriteLine($"dera: unexpected failure, please report it: {exception}");
                return ExitCode.Failed;
        }
    }
}
