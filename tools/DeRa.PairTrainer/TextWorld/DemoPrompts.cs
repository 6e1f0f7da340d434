using System.Text.Json;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>A prompt for demonstrations.</summary>
internal sealed record DemoPrompt(string Id, string Prompt);

/// <summary>The prompts of weights/prompts.jsonl, five of each kind of text.</summary>
internal static class DemoPrompts
{
    /// <summary>All prompts; the first one is the example to show.</summary>
    public static readonly IReadOnlyList<DemoPrompt> All =
    [
        .. new[]
        {
            "Tell me about Anna at the harbour in the morning.",
            "Describe the market in the winter.",
            "Tell me about the fox in the garden.",
            "Write a note to Clara about the island.",
            "What did Tom do on the beach?",
            "Tell me about the library.",
            "What does the heron do at the mill in the evening?",
            "Write to Ben about the village in the spring.",
            "Write a story about Maria at the station at night.",
            "What is the forest like in the autumn?",
            "Tell me about the cat on the bridge at noon.",
            "Write a note to Oscar about the farm in the summer.",
            "What did Nora do in the library in the winter?",
            "Describe the harbour at night.",
            "What does the owl do in the forest at night?",
            "Write a note to Ruth about the market.",
            "Tell me about Hugo on the island.",
            "What is the garden like in the morning?",
            "Tell me about the horse on the farm in the spring.",
            "Write to Lena about the bridge in the evening.",
        }.Select((prompt, i) => new DemoPrompt($"demo-{i + 1:00}", prompt)),
    ];

    /// <summary>One JSON object a line.</summary>
    public static string Jsonl() =>
        string.Concat(All.Select(p => JsonSerializer.Serialize(new { id = p.Id, prompt = p.Prompt }) + "\n"));
}
