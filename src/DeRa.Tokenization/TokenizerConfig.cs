using System.Globalization;
using System.Text;

namespace DeRa.Tokenization;

/// <summary>What stands beside the tokenizer proper: special tokens, chat templates and the switches of the older forms.</summary>
internal sealed record TokenizerConfig
{
    /// <summary>The name of the template used when none is named.</summary>
    public const string DefaultTemplate = "default";

    private const string ConfigFile = "tokenizer_config.json";
    private const string SpecialTokensFile = "special_tokens_map.json";
    private const string AddedTokensFile = "added_tokens.json";
    private const string TemplateFile = "chat_template.jinja";

    private static readonly string[] SpecialTokenNames =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>bos_token, eos_token, … and their texts, as far as set.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; private init; } = new Dictionary<string, string>();

    public IReadOnlyList<string> AdditionalSpecialTokens { get; private init; } = [];

    public IReadOnlyDictionary<string, string> ChatTemplates { get; private init; } = new Dictionary<string, string>();

    /// <summary>added_tokens_decoder and added_tokens.json: added tokens by id, in order of id.</summary>
    public IReadOnlyList<(int Id, AddedToken Token)> AddedTokens { get; private init; } = [];

    public string? TokenizerClass { get; private init; }

    public bool? AddBosToken { get; private init; }

    public bool? AddEosToken { get; private init; }

    public bool AddPrefixSpace { get; private init; }

    public string? BosToken => SpecialTokens.GetValueOrDefault("bos_token");

    public string? EosToken => SpecialTokens.GetValueOrDefault("eos_token");

    public string? PadToken => SpecialTokens.GetValueOrDefault("pad_token");

    public string? UnkToken => SpecialTokens.GetValueOrDefault("unk_token");

    /// <summary>Reads what of the configuration files is present in a folder.</summary>
    /// <exception cref="TokenizerException">A file is malformed.</exception>
    public static TokenizerConfig Read(string folder)
    {
        Draft draft = new();
        ReadIfPresent(folder, SpecialTokensFile, draft.ReadSpecialTokens);
        TokenizerConfig config = new();
        ReadIfPresent(folder, ConfigFile, root =>
        {
            draft.ReadSpecialTokens(root);
            draft.ReadTemplates(root["chat_template"]);
            draft.ReadAddedTokensDecoder(root["added_tokens_decoder"]);
            config = new TokenizerConfig
            {
                TokenizerClass = root["tokenizer_class"].AsOptionalString(),
                AddBosToken = ReadSwitch(root["add_bos_token"]),
                AddEosToken = ReadSwitch(root["add_eos_token"]),
                AddPrefixSpace = root["add_prefix_space"].AsBoolean(false),
            };
        });
        ReadIfPresent(folder, AddedTokensFile, draft.ReadAddedTokens);
        string templatePath = Path.Combine(folder, TemplateFile);
        if (File.Exists(templatePath))
            draft.Templates[DefaultTemplate] = ReadText(templatePath).TrimStart('\uFEFF');
        return config with
        {
            SpecialTokens = draft.SpecialTokens,
            AdditionalSpecialTokens = draft.AdditionalSpecialTokens,
            ChatTemplates = draft.Templates,
            AddedTokens = [.. draft.AddedTokens.Select(pair => (pair.Key, pair.Value))],
        };
    }

    private static string ReadText(string path) => Encoding.UTF8.GetString(JsonFile.ReadBytes(path, JsonFile.LargestConfig));

    private static bool? ReadSwitch(JsonField field) => field.IsNull ? null : field.AsBoolean(false);

    private static void ReadIfPresent(string folder, string name, Action<JsonField> read)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
            return;
        JsonFile.Read(path, JsonFile.LargestConfig, root =>
        {
            read(root);
            return true;
        });
    }

    /// <summary>The parts that several files contribute to.</summary>
    private sealed class Draft
    {
        public Dictionary<string, string> SpecialTokens { get; } = [];

        public List<string> AdditionalSpecialTokens { get; private set; } = [];

        public Dictionary<string, string> Templates { get; } = [];

        public SortedDictionary<int, AddedToken> AddedTokens { get; } = [];

        public void ReadSpecialTokens(JsonField root)
        {
            foreach (string name in SpecialTokenNames)
            {
                if (ReadToken(root[name]) is { } token)
                    SpecialTokens[name] = token;
            }
            JsonField additional = root["additional_special_tokens"];
            if (additional.IsArray)
                AdditionalSpecialTokens = [.. additional.Items().Select(ReadToken).OfType<string>()];
        }

        /// <summary>One template, or a list of named ones.</summary>
        public void ReadTemplates(JsonField field)
        {
            if (field.IsNull)
                return;
            if (field.IsString)
            {
                Templates[DefaultTemplate] = field.AsString();
                return;
            }
            foreach (JsonField item in field.Items())
                Templates[item["name"].AsString()] = item["template"].AsString();
        }

        public void ReadAddedTokensDecoder(JsonField field)
        {
            if (field.IsNull)
                return;
            foreach ((string key, JsonField value) in field.Members())
            {
                if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                    throw value.Unexpected("a token id as the member's name");
                AddedTokens[id] = TokenizerJsonReader.ReadAddedToken(value);
            }
        }

        /// <summary>added_tokens.json: text → id, without flags; special are those that the configuration names as such.</summary>
        public void ReadAddedTokens(JsonField root)
        {
            foreach ((string content, JsonField value) in root.Members())
            {
                bool special = SpecialTokens.ContainsValue(content) || AdditionalSpecialTokens.Contains(content);
                AddedTokens.TryAdd(value.AsCount(), new AddedToken(content, special, Normalized: !special));
            }
        }

        /// <summary>A token is written as its text or as an object that has it under "content".</summary>
        private static string? ReadToken(JsonField field) => field.IsObject ? field["content"].AsOptionalString() : field.AsOptionalString();
    }
}
