namespace DeRa.Checkpoints.WeightMaps;

/// <summary>What a checkpoint's output matrix gives.</summary>
internal enum OutputKind
{
    /// <summary>A logit per entry of the vocabulary.</summary>
    Vocabulary,

    /// <summary>One number: a ForSequenceClassification head with one label (transformers, modeling_layers.py).</summary>
    Scalar,
}
