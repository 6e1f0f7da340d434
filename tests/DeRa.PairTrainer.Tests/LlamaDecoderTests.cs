using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Tests;

/// <summary>Decoding with a cache is the same function as the whole forward pass.</summary>
public class LlamaDecoderTests
{
    [Test]
    public void Cached_decoding_gives_the_logits_of_the_whole_pass()
    {
        Workers workers = new(2);
        LlamaParameters<float> parameters = TinyModel.Create<float>(seed: 41);
        int[][] sequences = TinyModel.Sequences(42, 6, 9);
        PackedBatch batch = new(sequences);
        float[] whole = new LlamaPass<float>(TinyModel.Config, workers).Forward(parameters, batch);
        int vocab = TinyModel.Config.VocabSize;

        LlamaDecoder decoder = new(parameters, workers, slots: 2, capacity: 9);
        decoder.Forward(new DecodeRows([0, 0, 1, 1, 1], [0, 1, 0, 1, 2], [.. sequences[0][..2], .. sequences[1][..3]]));
        float[] step = decoder.Forward(new DecodeRows([1, 0], [3, 2], [sequences[1][3], sequences[0][2]]));

        Assert.Multiple(() =>
        {
            Assert.That(step.Take(vocab), Is.EqualTo(whole.Skip((batch.Starts[1] + 3) * vocab).Take(vocab)).Within(1e-5f));
            Assert.That(step.Skip(vocab).Take(vocab), Is.EqualTo(whole.Skip(2 * vocab).Take(vocab)).Within(1e-5f));
        });
    }
}
