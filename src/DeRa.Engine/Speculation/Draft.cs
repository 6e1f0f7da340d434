namespace DeRa.Engine.Speculation;

/// <summary>One of the two models.</summary>
internal enum ModelSide
{
    Reference,
    Aligned,
}

/// <summary>
/// Tokens drafted past a sequence's end. Their hidden states (or logits) under the drafting model are kept in the rows of a slot, so that judging them takes
/// a pass of the other model only.
/// </summary>
/// <param name="drafter">Who drafted.</param>
/// <param name="slot">Where its rows are kept.</param>
/// <param name="end">Tokens of the sequence that the first draft follows.</param>
internal sealed class Draft(ModelSide drafter, int slot, int end)
{
    public ModelSide Drafter { get; } = drafter;

    public int Slot { get; } = slot;

    public int End { get; } = end;

    public List<int> Tokens { get; } = [];

    public ModelSide Judge => Drafter == ModelSide.Reference ? ModelSide.Aligned : ModelSide.Reference;
}
