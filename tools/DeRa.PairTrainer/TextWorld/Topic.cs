using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.TextWorld;

/// <summary>What kind of text a prompt asks for.</summary>
internal enum TextKind
{
    /// <summary>A person's day, told in the past tense.</summary>
    Story,

    /// <summary>An animal, described in the present tense.</summary>
    Animal,

    /// <summary>A place, described in the present tense.</summary>
    Description,

    /// <summary>A short letter in the first person.</summary>
    Note,
}

/// <summary>Everything the text must stay consistent with.</summary>
/// <param name="Kind">The kind of text.</param>
/// <param name="Hero">The person, the animal or the addressee; null for a description.</param>
/// <param name="Place">Where it happens.</param>
/// <param name="Time">When, as a phrase ("in the winter"); null when the prompt leaves it open.</param>
internal sealed record Topic(TextKind Kind, Hero? Hero, Place Place, string? Time)
{
    /// <summary>"at the harbour".</summary>
    public string Where => $"{Place.Preposition} {Place.Name}";

    /// <summary>A random topic; kinds are equally likely and half the topics name a time.</summary>
    public static Topic Sample(DeterministicRandom random)
    {
        TextKind kind = random.Pick(Enum.GetValues<TextKind>());
        Hero? hero = kind switch
        {
            TextKind.Description => null,
            TextKind.Animal => random.Pick(WordLists.Animals),
            _ => random.Pick(WordLists.People),
        };
        Place place = random.Pick(WordLists.Places);
        return new Topic(kind, hero, place, random.NextDouble() < 0.5 ? random.Pick(WordLists.Times) : null);
    }

    /// <summary>The prompts that ask for this topic.</summary>
    public string[] Prompts()
    {
        string when = Time is null ? string.Empty : " " + Time;
        return Kind switch
        {
            TextKind.Story =>
            [
                $"Tell me about {Hero!.Name} {Where}{when}.",
                $"What did {Hero.Name} do {Where}{when}?",
                $"Write a story about {Hero.Name} {Where}{when}.",
            ],
            TextKind.Animal =>
                [$"Tell me about the {Hero!.Name} {Where}{when}.", $"What does the {Hero.Name} do {Where}{when}?"],
            TextKind.Description =>
                [$"Describe the {Place.Name}{when}.", $"Tell me about the {Place.Name}{when}.", $"What is the {Place.Name} like{when}?"],
            _ => [$"Write a note to {Hero!.Name} about the {Place.Name}{when}.", $"Write to {Hero.Name} about the {Place.Name}{when}."],
        };
    }
}
