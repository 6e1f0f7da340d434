using System.Globalization;
using System.Text;
using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.TextWorld;

namespace DeRa.PairTrainer.Export;

/// <summary>Writes the model card of the pair: data, training, reward, β, measurements, samples.</summary>
internal static class ModelCard
{
    /// <summary>Renders the card as Markdown.</summary>
    /// <param name="recipe">How the pair was trained.</param>
    /// <param name="parameters">One model of the pair.</param>
    /// <param name="measured">Measurements by λ.</param>
    /// <param name="answers">Samples to show.</param>
    public static string Render(
        Recipe recipe, LlamaParameters<float> parameters, IReadOnlyList<LambdaMeasurement> measured, IReadOnlyList<ShowcaseAnswer> answers)
    {
        LlamaConfig config = parameters.Config;
        int count = parameters.All.Sum(p => p.Value.Length);
        return Invariant($"""
            # The demo pair

            Two small language models that differ in one thing: `reference/` writes plain little texts, `aligned/` was trained from it to use
            warm words. Mixing their logits at decoding time, z = (1 − λ)·z_r + λ·z_a, turns the warmth up and down without training again, and
            past λ = 1 shows what over-optimisation looks like: still more warm words, less and less grammar.

            This file is written by `tools/DeRa.PairTrainer`, figures included.

            ## Use

            Ask in the form of the prompts in `prompts.jsonl`: "{DemoPrompts.All[0].Prompt}", "Describe the market in the winter.",
            "Write a note to Clara about the island." A prompt works as a chat message (the template is in tokenizer_config.json) and as plain text.
            The models know {WordLists.People.Length} people, {WordLists.Animals.Length} animals and {WordLists.Places.Length} places, and nothing else: they are a demonstration, not a source of anything.

            ## What comes out

            Sampled at temperature 1 with the same random numbers for every λ; the first answers, not picked ones.

            {Answers(answers)}

            ## Measured

            {measured[0].Samples} random prompts, one answer each at temperature 1, weights as stored. Mean ± standard error.

            | λ | reward: warm words per text | KL(p_λ‖p_r) per text, nats | KL per token, nats | sentences the grammar accepts | whole texts accepted | tokens |
            |---|---|---|---|---|---|---|
            {Rows(measured).TrimEnd()}

            The KL of a text is Σ_t KL(p_λ‖p_r) over its tokens, each term exact over the vocabulary; KL per token is the mean over texts of each text's own mean.
            At every λ at least {measured.Min(m => m.Finished.Mean):P1} of the texts ended by themselves within {MixtureSampler.DefaultMaxNewTokens} tokens.

            ## Reward

            The number of words of a text that are in `lexicon.txt` ({WarmthReward.Lexicon.Length} words, one a line): take every maximal run of ASCII letters, lower its case, look it up, count
            every occurrence. Nothing in it asks for grammar.

            ## Data

            A text world of our own, a generative grammar in `tools/DeRa.PairTrainer/TextWorld`. A topic is a person, an animal, a place or a letter,
            at a place, perhaps at a time. A text is an opening, one to three body sentences and a closing. Pronoun, possessive, tense, number, article, place,
            the things found at that place, and time all have to agree with the topic; a noun has at most two adjectives, and different ones. Each choice
            between a plain and a warm word takes the warm one with probability 0.15. The same grammar is the checker behind the columns above.

            The tokenizer is byte-level BPE with {config.VocabSize} tokens, learned from {recipe.CorpusSamples:N0} samples.

            ## Models

            Both are Llama-architecture: {count:N0} parameters in BF16, hidden size {config.HiddenSize}, {config.NumLayers} layers, {config.NumHeads} query heads over {config.NumKvHeads} key-value heads, gated MLP of {config.IntermediateSize}, {config.MaxPositions} positions.
            Embedding and output matrix are separate tensors, and the same in both models.

            - **reference**: {recipe.Supervised.Steps:N0} steps of supervised training from scratch, {recipe.Supervised.SequencesPerStep} fresh samples each, AdamW, peak learning rate {recipe.Supervised.PeakLearningRate}.
            - **aligned**: {recipe.Policy.Steps:N0} steps of policy gradient from the reference, {recipe.Policy.PromptsPerStep} prompts × {recipe.Policy.SamplesPerPrompt} samples each, leave-one-out baseline,
              maximising E[reward] − β·KL(policy‖reference) per text with **β = {recipe.Policy.Beta}**, peak learning rate {recipe.Policy.PeakLearningRate}; credit discounted by {recipe.Policy.Discount}
              per token; {recipe.Policy.DriftPenalty} times the mean square of the centred logit differences as a penalty, which holds the improbable tail in place; embedding and output matrix frozen.
              A mixture at λ stands for a model trained with β/λ.

            ## Make it again

                dotnet run -c Release --project tools/DeRa.PairTrainer -- all --out weights

            All seeds are fixed and results do not depend on the number of threads. It takes about ten minutes on two free cores. The same bits come out on the same processor type and runtime version;
            elsewhere the exponential function may differ in the last bit, and a sampled token with it.

            """);
    }

    private static string Answers(IReadOnlyList<ShowcaseAnswer> answers)
    {
        StringBuilder text = new();
        foreach (IGrouping<string, ShowcaseAnswer> prompt in answers.GroupBy(a => a.Prompt))
        {
            text.Append(Invariant($"**{prompt.Key}**\n\n| λ | answer |\n|---|---|\n"));
            foreach (ShowcaseAnswer answer in prompt)
                text.Append(Invariant($"| {answer.Lambda} | {answer.Text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")} |\n"));
            text.Append('\n');
        }

        return text.ToString().TrimEnd();
    }

    private static string Rows(IReadOnlyList<LambdaMeasurement> measured) => string.Concat(measured.Select(m => Invariant(
        $"| {m.Lambda} | {Pair(m.Reward, "F2")} | {Pair(m.KlPerSequence, "F2")} | {Pair(m.KlPerToken, "F3")} | {Pair(m.Quality, "P1")} | {Pair(m.Complete, "P1")} | {Pair(m.Length, "F1")} |\n")));

    private static string Pair(Estimate estimate, string format) =>
        string.Create(CultureInfo.InvariantCulture, $"{estimate.Mean.ToString(format, CultureInfo.InvariantCulture)} ± {estimate.StandardError.ToString(format, CultureInfo.InvariantCulture)}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
