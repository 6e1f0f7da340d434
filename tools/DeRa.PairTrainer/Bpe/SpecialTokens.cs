namespace DeRa.PairTrainer.Bpe;

/// <summary>The tokens with a meaning of their own; their ids are their positions in <see cref="All"/>.</summary>
internal static class SpecialTokens
{
    /// <summary>First token of every sequence.</summary>
    public const string Begin = "<|begin|>";

    /// <summary>Ends a turn, and with it a response.</summary>
    public const string End = "<|end|>";

    /// <summary>Starts a user turn.</summary>
    public const string User = "<|user|>";

    /// <summary>Starts an assistant turn.</summary>
    public const string Assistant = "<|assistant|>";

    /// <summary>Id of <see cref="Begin"/>.</summary>
    public const int BeginId = 0;

    /// <summary>Id of <see cref="End"/>.</summary>
    public const int EndId = 1;

    /// <summary>Id of <see cref="User"/>.</summary>
    public const int UserId = 2;

    /// <summary>Id of <see cref="Assistant"/>.</summary>
    public const int AssistantId = 3;

    /// <summary>All special tokens in id order.</summary>
    public static readonly IReadOnlyList<string> All = [Begin, End, User, Assistant];
}
