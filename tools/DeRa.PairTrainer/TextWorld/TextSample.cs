using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>A prompt and a text that answers it.</summary>
internal sealed record TextSample(Topic Topic, string Prompt, string Response)
{
    /// <summary>Draws a topic, one of its prompts and a text of three to five sentences.</summary>
    public static TextSample Draw(DeterministicRandom random)
    {
        Topic topic = Topic.Sample(random);
        return new TextSample(topic, random.Pick(topic.Prompts()), DrawResponse(topic, random));
    }

    /// <summary>Opening, one to three different body sentences, closing.</summary>
    public static string DrawResponse(Topic topic, DeterministicRandom random)
    {
        TopicGrammar grammar = new(topic);
        List<Phrase> unused = [.. grammar.Middles];
        List<string> sentences = [DrawSentence(grammar.Opening, random)];
        int middles = 1 + random.NextInt(3);
        for (int i = 0; i < middles; i++)
        {
            int index = random.NextInt(unused.Count);
            sentences.Add(DrawSentence(unused[index], random));
            unused.RemoveAt(index);
        }

        sentences.Add(DrawSentence(random.Pick(grammar.Closings), random));
        return string.Join(' ', sentences);
    }

    private static string DrawSentence(Phrase phrase, DeterministicRandom random)
    {
        List<string> words = [];
        phrase.Sample(random, words);
        return Sentence.Render(words);
    }
}
