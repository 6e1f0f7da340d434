namespace DeRa.Models;

/// <summary>Two models that cannot be mixed: their vocabularies disagree; the message names the first difference.</summary>
public sealed class PairMismatchException : Exception
{
    /// <summary>A token whose ids differ.</summary>
    /// <param name="token">The token's text.</param>
    /// <param name="referenceId">Its id in the reference model's tokenizer; null where it is absent.</param>
    /// <param name="alignedId">Its id in the aligned model's tokenizer; null where it is absent.</param>
    public PairMismatchException(string token, int? referenceId, int? alignedId)
        : base($"the pair's vocabularies differ first at token '{token}': {Describe(referenceId)} in the reference, {Describe(alignedId)} in the aligned model")
    {
        Token = token;
        ReferenceId = referenceId;
        AlignedId = alignedId;
    }

    /// <summary>A difference that is not one token's id.</summary>
    public PairMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>The first token that differs.</summary>
    public string? Token { get; }

    /// <summary>Its id in the reference model's tokenizer.</summary>
    public int? ReferenceId { get; }

    /// <summary>Its id in the aligned model's tokenizer.</summary>
    public int? AlignedId { get; }

    private static string Describe(int? id) => id is int value ? $"id {value}" : "absent";
}
