using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Model;

namespace DeRa.PairTrainer.Export;

/// <summary>The model card of the pair.</summary>
internal static class ModelCard
{
    /// <summary>Renders it as Markdown.</summary>
    public static string Render(
        Recipe recipe, LlamaConfig config, IReadOnlyList<LambdaMeasurement> measured, IReadOnlyList<ShowcaseAnswer> answers, DirectoryInfo folder)
    {
        _ = (recipe, config, measured, folder);
        return string.Join("\n\n", answers.Select(a => $"{a.Prompt} λ={a.Lambda}: {a.Text}")) + "\n";
    }
}
