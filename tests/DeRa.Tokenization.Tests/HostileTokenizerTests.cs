using System.Text;
using System.Text.Json.Nodes;

namespace DeRa.Tokenization.Tests;

/// <summary>Damaged files end in a <see cref="TokenizerException"/> or in a tokenizer that works, never in anything else.</summary>
[TestFixture]
internal sealed class HostileTokenizerTests
{
    private const int Mutations = 10_000;
    private const string Probe = "Hello  wörld 123\n<s>\U0001F600 e\u0301";

    /// <summary>A small file with many kinds of components, so that mutations reach most of the reader.</summary>
    private const string Specimen = """
        {"version":"1.0","added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","lstrip":true,"rstrip":true,"special":true},
        {"id":30,"content":"wör","single_word":true,"normalized":true,"special":false}],
        "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"},
        {"type":"Strip","strip_left":true,"strip_right":false},{"type":"Prepend","prepend":"▁"}]},
        "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t)|\\p{L}+|\\s+(?!\\S)|[^\\s\\p{L}]{1,3}|(a|b)*"},
        "behavior":"MergedWithNext","invert":false},{"type":"Digits","individual_digits":true},{"type":"Punctuation"},
        {"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}]},
        "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
        "special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
        "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},
        {"type":"Strip","content":" ","start":1,"stop":0}]},
        "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,"end_of_word_suffix":"","fuse_unk":true,
        "byte_fallback":true,"ignore_merges":false,"vocab":{"<unk>":0,"<s>":1,"h":2,"e":3,"l":4,"o":5,"he":6,"ll":7,"hell":8,"▁":9,"<0xC3>":10},
        "merges":["h e",["l","l"],"he ll"]}}
        """;

    [Test]
    public void Mutated_files_are_refused_or_work()
    {
        using TemporaryFolder folder = new();
        Random random = new(20402);
        byte[] specimen = Encoding.UTF8.GetBytes(Specimen);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = i % 2 == 0 ? MutateBytes(specimen, random) : MutateStructure(random);
            folder.Write("tokenizer.json", mutated);
            try
            {
                Tokenizer tokenizer = Tokenizer.Load(folder.FullName);
                tokenizer.Decode(tokenizer.Encode(Probe));
            }
            catch (TokenizerException)
            {
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"mutation {i}: {fault}\n{Encoding.UTF8.GetString(mutated)}");
            }
        }
        Assert.That(refused, Is.InRange(Mutations / 4, Mutations - 100), "mutations should neither all pass nor all fail");
    }

    [TestCase("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac")]
    [TestCase("(a|a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac")]
    [TestCase("(?:(?:a?){200}){5}b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac")]
    public void Runaway_patterns_stop(string pattern, string text)
    {
        int end = text.Length;
        try
        {
            end = TextPattern.Regex(pattern).Segments(text)[^1].End;
        }
        catch (TokenizerException fault)
        {
            Assert.That(fault.Message, Does.StartWith("regular expression"));
        }
        Assert.That(end, Is.EqualTo(text.Length));
    }

    [TestCase("(")]
    [TestCase(")")]
    [TestCase("[a")]
    [TestCase("*")]
    [TestCase("\\")]
    [TestCase("a{2,1}")]
    [TestCase("(((a{1000}){1000}){1000})")]
    [TestCase("\\1")]
    [TestCase("\\p{Klingon}")]
    [TestCase("(?<=a+)b")]
    [TestCase("[z-a]")]
    public void Bad_patterns_are_refused(string pattern) => Assert.That(() => TextPattern.Regex(pattern), Throws.TypeOf<TokenizerException>());

    [Test]
    public void Deep_nesting_is_refused()
    {
        using TemporaryFolder folder = new();
        folder.Write("tokenizer.json", string.Concat(Enumerable.Repeat("""{"normalizer":""", 100_000)));
        Assert.That(() => Tokenizer.Load(folder.FullName), Throws.TypeOf<TokenizerException>());
        Assert.That(() => TextPattern.Regex(new string('(', 10_000)), Throws.TypeOf<TokenizerException>());
        Assert.That(() => TextPattern.Regex(new string('[', 10_000)), Throws.TypeOf<TokenizerException>());
    }

    [Test]
    public void Mutated_sentencepiece_models_are_refused_or_work()
    {
        byte[] model = File.ReadAllBytes(Path.Combine(Shared.Golden("tokenizers/llama2_real"), "tokenizer.model"));
        // The head holds pieces, the tail the trainer's and normalizer's settings; the middle is more of the same.
        using TemporaryFolder folder = new();
        Random random = new(7);
        int refused = 0;
        for (int i = 0; i < 60; i++)
        {
            byte[] mutated = [.. model[..3_000], .. model[^300..]];
            for (int flips = 1 + random.Next(4); flips > 0; flips--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            folder.Write("tokenizer.model", mutated);
            try
            {
                Tokenizer tokenizer = Tokenizer.Load(folder.FullName);
                tokenizer.Decode(tokenizer.Encode(Probe));
            }
            catch (TokenizerException)
            {
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"mutation {i}: {fault}");
            }
        }
        Assert.That(refused, Is.GreaterThan(0), "a broken model is refused");
    }

    private static byte[] MutateBytes(byte[] specimen, Random random)
    {
        List<byte> bytes = [.. specimen];
        for (int edits = 1 + random.Next(3); edits > 0; edits--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(1 + random.Next(20), bytes.Count - at));
                    break;
                case 2:
                    bytes.Insert(at, (byte)"{}[]\",:\\0eE-"[random.Next(12)]);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(40), bytes.Count - at)));
                    break;
            }
            if (bytes.Count == 0)
                bytes.Add((byte)'{');
        }
        return [.. bytes];
    }

    /// <summary>Replaces a random node of the tree by a value of another kind, a copy of another node, or nothing.</summary>
    private static byte[] MutateStructure(Random random)
    {
        JsonNode root = JsonNode.Parse(Specimen)!;
        for (int edits = 1 + random.Next(2); edits > 0; edits--)
        {
            List<JsonNode> nodes = [.. Descendants(root)];
            JsonNode target = nodes[random.Next(nodes.Count)];
            JsonNode? replacement = random.Next(9) switch
            {
                0 => null,
                1 => JsonValue.Create(-1),
                2 => JsonValue.Create(4_000_000_000L),
                3 => JsonValue.Create(1e300),
                4 => JsonValue.Create(""),
                5 => JsonValue.Create(new string('▁', 300)),
                6 => new JsonObject(),
                7 => new JsonArray(1, "x"),
                _ => nodes[random.Next(nodes.Count)].DeepClone(),
            };
            target.ReplaceWith(replacement);
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static IEnumerable<JsonNode> Descendants(JsonNode node)
    {
        IEnumerable<JsonNode?> children = node switch
        {
            JsonObject record => record.Select(member => member.Value),
            JsonArray array => array,
            _ => [],
        };
        return children.OfType<JsonNode>().SelectMany(child => Descendants(child).Prepend(child));
    }
}
