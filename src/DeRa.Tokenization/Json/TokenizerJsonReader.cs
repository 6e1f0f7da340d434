using System.Text.Json;

namespace DeRa.Tokenization;

/// <summary>Reads a tokenizer.json into a pipeline. Truncation and padding, which serve training batches, are not applied.</summary>
internal static class TokenizerJsonReader
{
    public static TokenizerPipeline Read(string path) => JsonFile.Read(path, JsonFile.LargestTokenizer, Read);

    private static TokenizerPipeline Read(JsonField root)
    {
        Normalizer? normalizer = ComponentReader.ReadNormalizer(root["normalizer"]);
        PreTokenizer? preTokenizer = ComponentReader.ReadPreTokenizer(root["pre_tokenizer"]);
        PostProcessor? postProcessor = ComponentReader.ReadPostProcessor(root["post_processor"]);
        TokenDecoder decoder = ComponentReader.ReadDecoder(root["decoder"]) ?? new SpaceJoinDecoder();
        BpeModel model = ReadModel(root["model"]);
        AddedVocabulary added = new(ReadAddedTokens(root["added_tokens"]), model.Vocabulary, normalizer);
        return new TokenizerPipeline(added, preTokenizer, model, postProcessor, decoder);
    }

    /// <summary>The added tokens in order, without their ids: the reference goes by the order alone and only warns where an id differs.</summary>
    private static IEnumerable<(AddedToken Token, int? Id)> ReadAddedTokens(JsonField field)
    {
        if (field.IsNull)
            yield break;
        foreach (JsonField item in field.Items())
            yield return (ReadAddedToken(item), null);
    }

    /// <summary>One entry of added_tokens (tokenizer.json) or added_tokens_decoder (tokenizer_config.json).</summary>
    public static AddedToken ReadAddedToken(JsonField field)
    {
        bool special = field["special"].AsBoolean(false);
        return new AddedToken(
            field["content"].AsString(),
            special,
            field["single_word"].AsBoolean(false),
            field["lstrip"].AsBoolean(false),
            field["rstrip"].AsBoolean(false),
            field["normalized"].AsBoolean(!special));
    }

    private static BpeModel ReadModel(JsonField field)
    {
        // Files from before 2020 leave the type out; only a BPE model has both a vocabulary and merges.
        JsonField type = field["type"];
        if (type.IsNull ? field["vocab"].IsNull || field["merges"].IsNull : type.AsString() != "BPE")
            throw type.Unexpected("BPE, the only supported model");
        JsonField dropout = field["dropout"];
        if (!dropout.IsNull && !(dropout.Element.ValueKind == JsonValueKind.Number && dropout.Element.TryGetDouble(out double rate) && rate == 0))
            throw dropout.Unexpected("null: dropout makes encoding random");
        BpeOptions options = new()
        {
            UnknownToken = field["unk_token"].AsOptionalString(),
            ContinuingSubwordPrefix = field["continuing_subword_prefix"].AsOptionalString() ?? "",
            EndOfWordSuffix = field["end_of_word_suffix"].AsOptionalString() ?? "",
            FuseUnknown = field["fuse_unk"].AsBoolean(false),
            ByteFallback = field["byte_fallback"].AsBoolean(false),
            IgnoreMerges = field["ignore_merges"].AsBoolean(false),
        };
        BpeVocabulary vocabulary = new(ReadVocabulary(field["vocab"]));
        ReadMerges(field["merges"], vocabulary, options.ContinuingSubwordPrefix.Length);
        return new BpeModel(vocabulary, options);
    }

    /// <summary>A token → id object (also the whole of a vocab.json); a repeated token keeps its last id, as in the reference.</summary>
    public static Dictionary<string, int> ReadVocabulary(JsonField field)
    {
        if (!field.IsObject)
            throw field.Unexpected("an object of token ids");
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        foreach (JsonProperty property in field.Element.EnumerateObject())
        {
            string token = field.NameOf(property);
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetInt32(out int id) || id < 0)
                throw new JsonField(field.File, $"{field.Path}[\"{token}\"]", property.Value).Unexpected("an integer from 0 to 2147483647");
            ids[token] = id;
        }
        return ids;
    }

    /// <summary>Merges in order of rank, each "left right" or ["left", "right"].</summary>
    private static void ReadMerges(JsonField field, BpeVocabulary vocabulary, int prefixLength)
    {
        if (!field.IsArray)
            throw field.Unexpected("an array of merges");
        vocabulary.ReserveMerges(field.Element.GetArrayLength());
        int rank = 0;
        foreach (JsonElement element in field.Element.EnumerateArray())
        {
            // The path is only written out for a fault: there are hundreds of thousands of merges.
            JsonField At() => new(field.File, $"{field.Path}[{rank}]", element);
            string left, right;
            if (element.ValueKind == JsonValueKind.String)
            {
                string merge = new JsonField(field.File, field.Path, element).AsString();
                int space = merge.IndexOf(' ', StringComparison.Ordinal);
                if (space < 0 || merge.IndexOf(' ', space + 1) >= 0)
                    throw At().Unexpected("two tokens with one space between them");
                (left, right) = (merge[..space], merge[(space + 1)..]);
            }
            else
            {
                if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() != 2)
                    throw At().Unexpected("a string or a pair of strings");
                left = new JsonField(field.File, field.Path, element[0]).AsString();
                right = new JsonField(field.File, field.Path, element[1]).AsString();
            }
            if (vocabulary.AddMerge(rank, left, right, prefixLength) is { } missing)
                throw At().Unexpected($"tokens of the vocabulary (\"{missing}\" is not)");
            rank++;
        }
    }
}
