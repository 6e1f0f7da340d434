namespace DeRa.Tokenization;

/// <summary>Adds the special tokens around an encoded text (HF <c>post_processor</c>); processors that only move offsets come to nothing here.</summary>
internal abstract class PostProcessor
{
    public abstract List<int> Process(List<int> ids);
}

/// <summary>A row of special tokens and places for the text (HF <c>TemplateProcessing</c>, and what BERT's and RoBERTa's processors amount to).</summary>
/// <param name="parts">Ids to write; null where the text goes.</param>
internal sealed class TemplatePostProcessor(IReadOnlyList<int[]?> parts) : PostProcessor
{
    public override List<int> Process(List<int> ids)
    {
        List<int> result = new(ids.Count + parts.Count);
        foreach (int[]? part in parts)
        {
            if (part is null)
                result.AddRange(ids);
            else
                result.AddRange(part);
            ExpansionLimit.Check(result.Count);
        }
        return result;
    }
}

/// <summary>Applies post-processors in order.</summary>
internal sealed class SequencePostProcessor(IReadOnlyList<PostProcessor> parts) : PostProcessor
{
    public override List<int> Process(List<int> ids)
    {
        foreach (PostProcessor part in parts)
            ids = part.Process(ids);
        return ids;
    }
}
