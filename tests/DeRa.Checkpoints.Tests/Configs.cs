using System.Text;
using System.Text.Json;

namespace DeRa.Checkpoints.Tests;

/// <summary>Small configs as JSON, with fields set or replaced.</summary>
public static class Configs
{
    private const string Small =
        """
        {"hidden_size": 64, "intermediate_size": 144, "num_hidden_layers": 4, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256, "vocab_size": 320}
        """;

    /// <summary>A small config of a family; <paramref name="fields"/> is the inside of a JSON object laid over it.</summary>
    public static string Text(string modelType, string fields = "") => Overlay(Small, $"\"model_type\": \"{modelType}\", {fields}");

    /// <summary>A JSON object with fields laid over it, their text unchanged, however hostile.</summary>
    public static string Overlay(string json, string fields)
    {
        var merged = new Dictionary<string, string>();
        foreach (string text in new[] { json, $"{{{fields.TrimEnd().TrimEnd(',')}}}" })
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonProperty property in document.RootElement.EnumerateObject()) merged[property.Name] = property.Value.GetRawText();
        }

        return $"{{{string.Join(", ", merged.Select(pair => $"\"{pair.Key}\": {pair.Value}"))}}}";
    }

    public static ModelConfig Parse(string modelType, string fields = "", string generation = "") =>
        ParseText(Text(modelType, fields), generation);

    public static ModelConfig ParseText(string config, string generation = "") =>
        ModelConfig.Parse(Encoding.UTF8.GetBytes(config), Encoding.UTF8.GetBytes(generation));

    public static CheckpointException Refused(string modelType, string fields) =>
        Assert.Throws<CheckpointException>(() => Parse(modelType, fields))!;
}
