using System.Text.Json;
using DeRa.Models;
using DeRa.Tokenization;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Engine;

/// <summary>
/// Text for a pair: the tokenizer both models share and the chat template. A folder without tokenizer files still serves requests made of token
/// ids; then decoding gives no text and encoding is refused.
/// </summary>
public sealed class PairText
{
    private static readonly string[] TokenizerFiles = ["tokenizer.json", "vocab.json", "tokenizer.model"];

    private readonly Tokenizer? reference, aligned;
    private readonly Lazy<ModelChatTemplate> template;
    private readonly string folders;

    private PairText(Tokenizer? reference, Tokenizer? aligned, string referenceFolder, string alignedFolder)
    {
        this.reference = reference;
        this.aligned = aligned;
        folders = referenceFolder == alignedFolder ? referenceFolder : $"{referenceFolder} and {alignedFolder}";
        template = new(() => ModelChatTemplate.LoadIfPresent(alignedFolder) ?? ModelChatTemplate.LoadIfPresent(referenceFolder)
            ?? throw new TokenizerException($"{folders}: expected a chat_template in tokenizer_config.json or chat_template.jinja, found none"));
    }

    /// <summary>The tokenizer: the aligned model's, else the reference's; null where neither folder has one.</summary>
    public Tokenizer? Tokenizer => aligned ?? reference;

    /// <summary>Loads the tokenizers of both folders; one folder given twice is loaded once.</summary>
    /// <exception cref="TokenizerException">Tokenizer files that cannot be used.</exception>
    public static PairText Load(string referenceFolder, string alignedFolder)
    {
        ArgumentNullException.ThrowIfNull(referenceFolder);
        ArgumentNullException.ThrowIfNull(alignedFolder);
        Tokenizer? reference = LoadIfPresent(referenceFolder);
        bool same = Path.GetFullPath(referenceFolder) == Path.GetFullPath(alignedFolder);
        return new PairText(reference, same ? reference : LoadIfPresent(alignedFolder), referenceFolder, alignedFolder);
    }

    /// <summary>Ids of a text, with the special tokens that the tokenizer puts around a prompt unless told otherwise.</summary>
    /// <exception cref="TokenizerException">The pair has no tokenizer.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true) => Required().Encode(text, addSpecialTokens);

    /// <summary>Text of ids without special tokens; empty where the pair has no tokenizer.</summary>
    public string Decode(ReadOnlySpan<int> tokens) => Tokenizer?.Decode(tokens, skipSpecialTokens: true) ?? "";

    /// <summary>A decoder that takes ids one by one; null where the pair has no tokenizer.</summary>
    public StreamingDecoder? StreamingDecoder() => Tokenizer?.CreateStreamingDecoder(skipSpecialTokens: true);

    /// <summary>Renders a conversation with the pair's template, ready for the assistant's turn, and encodes it.</summary>
    /// <exception cref="TokenizerException">The pair has no tokenizer or no template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public int[] EncodeChat(IReadOnlyList<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return EncodeChat(new ChatTemplateInput(messages));
    }

    /// <summary>As <see cref="EncodeChat(IReadOnlyList{ChatMessage})"/>, for messages in JSON.</summary>
    /// <exception cref="TokenizerException">The pair has no tokenizer or no template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public int[] EncodeChat(JsonElement messages) => EncodeChat(new ChatTemplateInput(messages));

    /// <summary>Renders a whole conversation with the pair's template, the last answer included, and encodes it.</summary>
    /// <exception cref="TokenizerException">The pair has no tokenizer or no template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public int[] EncodeConversation(JsonElement messages) =>
        Required().Encode(template.Value.Render(new ChatTemplateInput(messages)), addSpecialTokens: false);

    /// <summary>Whether both folders have a tokenizer to compare.</summary>
    public bool HasBothTokenizers => reference is not null && aligned is not null;

    /// <summary>Requires that the tokenizers, where both are there, map the same tokens to the same ids below the shared vocabulary.</summary>
    /// <param name="sharedVocabulary">Rows that both output matrices have, see <see cref="ModelPair.Vocabulary"/>.</param>
    /// <exception cref="PairMismatchException">They differ: the first difference.</exception>
    public void CheckVocabulary(int sharedVocabulary)
    {
        if (reference is not null && aligned is not null && !ReferenceEquals(reference, aligned))
        {
            PairCheck.Compare(reference.Vocabulary, aligned.Vocabulary, sharedVocabulary);
        }
    }

    private static Tokenizer? LoadIfPresent(string folder) =>
        TokenizerFiles.Any(file => File.Exists(Path.Combine(folder, file))) ? Tokenizer.Load(folder) : null;

    private int[] EncodeChat(ChatTemplateInput input)
    {
        input.AddGenerationPrompt = true;
        return Required().Encode(template.Value.Render(input), addSpecialTokens: false);
    }

    private Tokenizer Required() =>
        Tokenizer ?? throw new TokenizerException($"{folders}: expected {string.Join(", ", TokenizerFiles)}, found none; give token ids instead of text");
}
