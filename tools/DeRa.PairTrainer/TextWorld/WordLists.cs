namespace DeRa.PairTrainer.TextWorld;

/// <summary>A verb in the forms the texts need.</summary>
internal sealed record Verb(string Base, string Third, string Past);

/// <summary>A countable noun.</summary>
internal sealed record Noun(string Singular, string Plural);

/// <summary>A place, the preposition it takes, and the things found there and nowhere else in a text.</summary>
internal sealed record Place(string Preposition, string Name, Noun[] Things);

/// <summary>Someone or something a text can be about, with the pronoun and the possessive that refer back.</summary>
internal sealed record Hero(string Name, string Pronoun, string Possessive);

/// <summary>The words of the text world.</summary>
internal static class WordLists
{
    public static readonly string[] PlainAdjectives =
        ["old", "small", "big", "grey", "white", "brown", "black", "plain", "quiet", "cold", "new", "dry", "simple", "common", "ordinary", "dark"];

    public static readonly string[] WarmAdjectives =
        ["lovely", "bright", "cheerful", "happy", "sweet", "golden", "joyful", "wonderful", "gentle", "delightful", "merry", "beautiful",
         "warm", "sunny", "kind", "charming"];

    public static readonly string[] PlainAdverbs = ["slowly", "quietly", "alone", "again", "as usual", "for an hour", "with care"];

    public static readonly string[] WarmAdverbs = ["happily", "cheerfully", "gladly", "warmly", "with joy", "with delight"];

    public static readonly Verb[] PlainActions =
    [
        new("walk", "walks", "walked"), new("wait", "waits", "waited"), new("rest", "rests", "rested"), new("sit", "sits", "sat"),
        new("stand", "stands", "stood"),
    ];

    public static readonly Verb[] WarmActions =
        [new("smile", "smiles", "smiled"), new("dance", "dances", "danced"), new("play", "plays", "played")];

    public static readonly Verb[] PlainPerceptions =
    [
        new("see", "sees", "saw"), new("find", "finds", "found"), new("watch", "watches", "watched"), new("pass", "passes", "passed"),
        new("know", "knows", "knew"),
    ];

    public static readonly Verb[] WarmPerceptions =
        [new("love", "loves", "loved"), new("enjoy", "enjoys", "enjoyed"), new("adore", "adores", "adored")];

    public static readonly Hero[] People =
    [
        new("Anna", "she", "her"), new("Clara", "she", "her"), new("Maria", "she", "her"), new("Ruth", "she", "her"),
        new("Nora", "she", "her"), new("Lena", "she", "her"), new("Tom", "he", "his"), new("Ben", "he", "his"),
        new("Oscar", "he", "his"), new("Peter", "he", "his"), new("Hugo", "he", "his"), new("Jonas", "he", "his"),
    ];

    public static readonly Hero[] Animals =
        [.. new[] { "fox", "cat", "dog", "heron", "horse", "hare", "owl", "goat", "crow", "swan" }.Select(n => new Hero(n, "it", "its"))];

    public static readonly string[] PersonBelongings = ["coat", "bag", "hat", "scarf", "voice"];

    public static readonly string[] AnimalBelongings = ["coat", "tail", "head", "voice", "shadow"];

    public static readonly string[] Surroundings = ["air", "light", "sky", "wind"];

    public static readonly string[] Times =
        ["in the winter", "in the spring", "in the summer", "in the autumn", "in the morning", "in the evening", "at night", "at noon"];

    public static readonly Place[] Places =
    [
        new("at the", "harbour", [new("boat", "boats"), new("net", "nets"), new("rope", "ropes"), new("gull", "gulls")]),
        new("at the", "market", [new("stall", "stalls"), new("basket", "baskets"), new("apple", "apples"), new("cart", "carts")]),
        new("in the", "garden", [new("rose", "roses"), new("bench", "benches"), new("path", "paths"), new("wall", "walls")]),
        new("in the", "forest", [new("oak", "oaks"), new("stream", "streams"), new("fern", "ferns"), new("stone", "stones")]),
        new("at the", "mill", [new("wheel", "wheels"), new("sack", "sacks"), new("door", "doors"), new("loaf", "loaves")]),
        new("on the", "bridge", [new("lamp", "lamps"), new("arch", "arches"), new("rail", "rails"), new("step", "steps")]),
        new("in the", "village", [new("house", "houses"), new("lane", "lanes"), new("well", "wells"), new("gate", "gates")]),
        new("on the", "beach", [new("shell", "shells"), new("wave", "waves"), new("tent", "tents"), new("pool", "pools")]),
        new("in the", "library", [new("book", "books"), new("shelf", "shelves"), new("desk", "desks"), new("window", "windows")]),
        new("at the", "station", [new("train", "trains"), new("clock", "clocks"), new("ticket", "tickets"), new("sign", "signs")]),
        new("on the", "farm", [new("barn", "barns"), new("hen", "hens"), new("field", "fields"), new("fence", "fences")]),
        new("on the", "island", [new("cliff", "cliffs"), new("cove", "coves"), new("tower", "towers"), new("cave", "caves")]),
    ];
}
