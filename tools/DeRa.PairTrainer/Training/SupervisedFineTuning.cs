using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training;

/// <summary>Settings of the supervised stage.</summary>
internal sealed record SupervisedOptions(int Steps, int SequencesPerStep, double PeakLearningRate, ulong Seed);

/// <summary>Trains the reference model on fresh samples of the text world; no sample is seen twice on purpose.</summary>
internal sealed class SupervisedFineTuning(BpeTokenizer tokenizer, Workers workers, SupervisedOptions options)
{
    private const int WarmUpSteps = 50;
    private const double WeightDecay = 0.05;

    /// <summary>Trains in place; reports (step, loss) after every step.</summary>
    public void Train(LlamaParameters<float> parameters, Action<int, double> report)
    {
        LlamaPass<float> pass = new(parameters.Config, workers);
        AdamW optimizer = new(parameters.All, WeightDecay);
        LearningRate schedule = new(options.PeakLearningRate, WarmUpSteps, options.Steps);
        SupervisedExamples examples = new(tokenizer);
        for (int step = 0; step < options.Steps; step++)
        {
            SupervisedBatch batch = examples.Draw(new DeterministicRandom(options.Seed, (ulong)step), options.SequencesPerStep);
            parameters.ClearGradients();
            float[] logits = pass.Forward(parameters, batch.Inputs);
            float loss = CrossEntropy.LossAndGradient(workers, logits, parameters.Config.VocabSize, batch.Targets, batch.Weights);
            pass.Backward(parameters, batch.Inputs, logits);
            optimizer.Step(workers, schedule.At(step));
            report(step, loss);
        }
    }
}
