using System.Text.Json.Nodes;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Export;

/// <summary>The tokenizer in Hugging Face's file formats.</summary>
internal static class TokenizerFiles
{
    /// <summary>tokenizer.json: byte-level BPE that puts the begin token in front.</summary>
    public static JsonObject Tokenizer(BpeTokenizer tokenizer)
    {
        JsonObject vocabulary = [];
        for (int id = 0; id < tokenizer.Tokens.Count; id++)
            vocabulary[tokenizer.Tokens[id]] = id;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. SpecialTokens.All.Select(AddedToken)]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = BeginTemplate(),
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. tokenizer.Merges.Select(merge => JsonValue.Create($"{merge.Left} {merge.Right}"))]),
            },
        };
    }

    /// <summary>tokenizer_config.json with the chat template.</summary>
    public static JsonObject Configuration(int maxPositions)
    {
        JsonObject decoder = [];
        for (int id = 0; id < SpecialTokens.All.Count; id++)
        {
            JsonObject token = AddedToken(SpecialTokens.All[id], id);
            token.Remove("id");
            decoder[$"{id}"] = token;
        }

        return new JsonObject
        {
            ["added_tokens_decoder"] = decoder,
            ["bos_token"] = SpecialTokens.Begin,
            ["chat_template"] = ChatFormat.Template,
            ["clean_up_tokenization_spaces"] = false,
            ["eos_token"] = SpecialTokens.End,
            ["model_max_length"] = maxPositions,
            ["pad_token"] = SpecialTokens.End,
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
        };
    }

    private static JsonObject AddedToken(string content, int id) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };

    private static JsonObject ByteLevel() => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = true,
        ["use_regex"] = true,
    };

    private static JsonObject BeginTemplate() => new()
    {
        ["type"] = "TemplateProcessing",
        ["single"] = new JsonArray(Special(), Sequence("A", 0)),
        ["pair"] = new JsonArray(Special(), Sequence("A", 0), Special(1), Sequence("B", 1)),
        ["special_tokens"] = new JsonObject
        {
            [SpecialTokens.Begin] = new JsonObject
            {
                ["id"] = SpecialTokens.Begin,
                ["ids"] = new JsonArray(SpecialTokens.BeginId),
                ["tokens"] = new JsonArray(SpecialTokens.Begin),
            },
        },
    };

    private static JsonObject Special(int type = 0) =>
        new() { ["SpecialToken"] = new JsonObject { ["id"] = SpecialTokens.Begin, ["type_id"] = type } };

    private static JsonObject Sequence(string id, int type) =>
        new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = type } };
}
