using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeRa.Evaluation;

/// <summary>How evaluations write and read JSON: snake_case, text as it is, numbers in their shortest form that reads back the same.</summary>
internal static class EvaluationJson
{
    private static readonly JsonSerializerOptions Compact = Options(indented: false);
    private static readonly JsonSerializerOptions Spaced = Options(indented: true);

    public static string Line<T>(T value) => JsonSerializer.Serialize(value, Compact);

    public static string Document<T>(T value) => JsonSerializer.Serialize(value, Spaced) + "\n";

    /// <exception cref="JsonException">Not of the type's form.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<T>(json, Compact) ?? throw new JsonException("expected an object, found null");

    private static JsonSerializerOptions Options(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };
}
