using static DeRa.PairTrainer.TextWorld.Phrase;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>
/// The sentences that fit one topic: the right hero and pronoun, the right place and its things, the right tense and person.
/// </summary>
internal sealed class TopicGrammar
{
    private const double WarmShare = 0.15;

    private readonly Topic topic;
    private readonly string subject;
    private readonly string be;
    private readonly string bePlural;
    private readonly Func<Verb, string> form;

    /// <summary>Builds the grammar of one topic.</summary>
    public TopicGrammar(Topic topic)
    {
        this.topic = topic;
        bool past = topic.Kind == TextKind.Story;
        subject = topic.Kind == TextKind.Note ? "I" : topic.Hero?.Pronoun ?? "it";
        be = past ? "was" : "is";
        bePlural = past ? "were" : "are";
        form = topic.Kind switch
        {
            TextKind.Story => verb => verb.Past,
            TextKind.Note => verb => verb.Base,
            _ => verb => verb.Third,
        };
        Opening = BuildOpening();
        Middles = BuildMiddles();
        Closings = BuildClosings();
    }

    /// <summary>The first sentence.</summary>
    public Phrase Opening { get; }

    /// <summary>Sentence patterns for the body; a text uses each at most once.</summary>
    public Phrase[] Middles { get; }

    /// <summary>Patterns for the last sentence.</summary>
    public Phrase[] Closings { get; }

    private static Phrase Plain => new Adjectives(0, WarmShare);

    private static Phrase Predicate =>
        Sequence(Maybe(0.2, Words("very")), WarmOr(WordLists.PlainAdjectives, WordLists.WarmAdjectives));

    private static Phrase Adverb => WarmOr(WordLists.PlainAdverbs, WordLists.WarmAdverbs);

    private static Phrase Stop => Words(".");

    private Phrase Here => Words(topic.Time is null ? topic.Where : $"{topic.Where} {topic.Time}");

    private Phrase Thing => Sequence(Plain, AnyOf(topic.Place.Things.Select(t => t.Singular)));

    private Phrase Things => Sequence(Plain, AnyOf(topic.Place.Things.Select(t => t.Plural)));

    private Phrase Near => Sequence(AnyOf("near", "behind", "beside"), Words("the"), AnyOf(topic.Place.Things.Select(t => t.Singular)));

    private Phrase Action => Verbs(WordLists.PlainActions, WordLists.WarmActions);

    private Phrase Perception => Verbs(WordLists.PlainPerceptions, WordLists.WarmPerceptions);

    private Phrase Verbs(Verb[] plain, Verb[] warm) =>
        WarmOr(plain.Select(form), warm.Select(form));

    private static Phrase WarmOr(IEnumerable<string> plain, IEnumerable<string> warm) =>
        Weighted((1 - WarmShare, AnyOf(plain)), (WarmShare, AnyOf(warm)));

    private Phrase BuildOpening() => topic.Kind switch
    {
        TextKind.Story => Sequence(Words(topic.Hero!.Name), AnyOf("was", "waited", "walked", "stood", "worked"), Here, Stop),
        TextKind.Animal => Sequence(Words("the"), Plain, Words(topic.Hero!.Name), AnyOf("lives", "sleeps", "waits", "hides"), Here, Stop),
        TextKind.Description => Sequence(Words($"the {topic.Place.Name} is"), Predicate, Time, Stop),
        _ => Sequence(Words($"Dear {topic.Hero!.Name} , I am"), Here, Stop),
    };

    private Phrase Time => Words(topic.Time ?? "all day");

    private Phrase[] BuildMiddles()
    {
        List<Phrase> middles =
        [
            Sequence(Words("the"), Thing, Words(be), Predicate, Stop),
            Sequence(Words("the"), Things, Words(bePlural), Predicate, Stop),
            Sequence(Words($"there {be}"), Indefinite(Thing), Near, Stop),
            Sequence(Words($"there {bePlural}"), AnyOf("two", "three", "some", "many"), Things, Near, Stop),
            Sequence(Words("the"), AnyOf(WordLists.Surroundings), Words(be), Predicate, Stop),
        ];
        if (topic.Kind == TextKind.Description)
        {
            middles.Add(Sequence(
                Words("people"),
                WarmOr(WordLists.PlainActions.Select(v => v.Base), WordLists.WarmActions.Select(v => v.Base)),
                Near,
                Stop));
            return [.. middles];
        }

        string[] belongings = topic.Kind == TextKind.Animal ? WordLists.AnimalBelongings : WordLists.PersonBelongings;
        string possessive = topic.Kind == TextKind.Note ? "my" : topic.Hero!.Possessive;
        middles.Add(Sequence(Words(subject), Perception, Weighted((2, Indefinite(Thing)), (1, Sequence(Words("the"), Things))), Stop));
        middles.Add(Sequence(Words(subject), Perception, Words("the"), Thing, Near, Stop));
        middles.Add(Sequence(Words(subject), Action, Maybe(0.5, Near), Adverb, Stop));
        middles.Add(Sequence(Words(possessive), Plain, AnyOf(belongings), Words(be), Predicate, Stop));
        return [.. middles];
    }

    private Phrase[] BuildClosings()
    {
        Phrase described = new Adjectives(1, WarmShare);
        string noun = topic.Kind switch
        {
            TextKind.Animal => topic.Hero!.Name,
            TextKind.Description => "place",
            _ => "day",
        };
        if (topic.Kind == TextKind.Note)
        {
            IEnumerable<string> senders = WordLists.People.Select(p => p.Name).Where(name => name != topic.Hero!.Name);
            return [Sequence(Words("Your"), Plain, Words("friend ,"), AnyOf(senders), Stop)];
        }

        List<Phrase> closings =
        [
            Sequence(Words($"it {be}"), Indefinite(Sequence(described, Words(noun))), Stop),
            Sequence(Words("what"), Indefinite(Sequence(described, Words(noun))), Words("!")),
        ];
        if (topic.Kind == TextKind.Story)
            closings.Add(Sequence(Words($"{subject} went home"), Adverb, Stop));
        return [.. closings];
    }
}
