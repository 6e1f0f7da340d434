// A prompt at three strengths of alignment, drawn together: the prompt is computed once for all.
// Run: dotnet run --project tools/samples/Generate -- REFERENCE_FOLDER ALIGNED_FOLDER "Tell me about …"
using DeRa.Engine;
using DeRa.Tokenization.ChatTemplates;

await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(
    new EngineOptions { ReferenceFolder = args[0], AlignedFolder = args[1], Device = "cpu" });

var request = new GenerationRequest
{
    PromptTokens = engine.Text.EncodeChat([new ChatMessage("user", args[2])]),
    MaxTokens = 40,
    Statistics = true,
    Sampling = new SamplingOptions { TopP = 0.95f, Seed = 3, Coupled = true },
};
float[] lambdas = [0, 0.5f, 1];
var results = await engine.CompleteTogetherAsync([.. lambdas.Select(lambda => request with { Lambda = lambda })]);
for (int i = 0; i < lambdas.Length; i++)
{
    Console.WriteLine(FormattableString.Invariant($"λ = {lambdas[i]}, KL {results[i].KlReference:F2}: {results[i].Text}"));
}
