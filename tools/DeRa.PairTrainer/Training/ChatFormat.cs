using DeRa.PairTrainer.Bpe;

namespace DeRa.PairTrainer.Training;

/// <summary>How prompts and responses become token sequences.</summary>
internal static class ChatFormat
{
    /// <summary>The same layout as a Jinja template, for tokenizer_config.json.</summary>
    public const string Template =
        "{{ bos_token }}{% for message in messages %}"
        + "{% if message['role'] not in ['user', 'assistant'] %}{{ raise_exception('Only user and assistant messages are supported.') }}{% endif %}"
        + "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

    /// <summary>Begin, user turn, start of the assistant's turn.</summary>
    public static int[] Prompt(BpeTokenizer tokenizer, string prompt) => [SpecialTokens.BeginId, .. Turn(tokenizer, prompt)];

    /// <summary>A user turn and the start of the assistant's turn.</summary>
    public static int[] Turn(BpeTokenizer tokenizer, string prompt) =>
        [SpecialTokens.UserId, .. tokenizer.Encode(prompt), SpecialTokens.EndId, SpecialTokens.AssistantId];

    /// <summary>The response and the end of its turn.</summary>
    public static int[] Response(BpeTokenizer tokenizer, string response) => [.. tokenizer.Encode(response), SpecialTokens.EndId];

    /// <summary>A prompt without turns, as a program sends it that knows no chat template.</summary>
    public static int[] PlainPrompt(BpeTokenizer tokenizer, string prompt) => [SpecialTokens.BeginId, .. tokenizer.Encode(prompt)];

    /// <summary>What follows a plain prompt: a space, the response, the end.</summary>
    public static int[] PlainResponse(BpeTokenizer tokenizer, string response) => Response(tokenizer, " " + response);
}
