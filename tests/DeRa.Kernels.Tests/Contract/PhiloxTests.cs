namespace DeRa.Kernels.Tests;

/// <summary>The generator against the published vectors of Random123 (kat_vectors, philox4x32 with 10 rounds).</summary>
public sealed class PhiloxTests
{
    [TestCase(new uint[] { 0, 0, 0, 0 }, 0u, 0u, new uint[] { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 })]
    [TestCase(
        new uint[] { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, 0xffffffff, 0xffffffff,
        new uint[] { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd })]
    [TestCase(
        new uint[] { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, 0xa4093822, 0x299f31d0u,
        new uint[] { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 })]
    public void Known_answers(uint[] counter, uint keyLow, uint keyHigh, uint[] expected)
    {
        Words4 words = Philox.Generate(new Words4 { X = counter[0], Y = counter[1], Z = counter[2], W = counter[3] }, keyLow, keyHigh);
        Assert.That(new[] { words.Pick(0), words.Pick(1), words.Pick(2), words.Pick(3) }, Is.EqualTo(expected));
    }
}
