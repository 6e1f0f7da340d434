namespace DeRa.Checkpoints.Tests;

/// <summary>Every form against its formula, written out here one frequency at a time.</summary>
[TestFixture]
public sealed class RotaryFrequenciesTests
{
    // Relative; powers and logarithms are good to a few units in the last place.
    private const double Tolerance = 1e-13;

    private static RotaryFrequencies Of(string modelType, string fields) => new(Configs.Parse(modelType, fields).Rope!);

    // base^(−2i/dim)
    private static double Plain(int i, double dim = 16, double theta = 10000) => Math.Exp(-Math.Log(theta) * 2 * i / dim);

    private static void AreClose(double[] actual, Func<int, double> expected, int count)
    {
        Assert.That(actual, Has.Length.EqualTo(count));
        for (int i = 0; i < count; i++)
            Assert.That(actual[i], Is.EqualTo(expected(i)).Within(Tolerance * expected(i)), $"i={i}");
    }

    [Test]
    public void Default_is_the_geometric_series_at_every_length()
    {
        RotaryFrequencies rope = Of("llama", "\"rope_theta\": 500000.0");
        AreClose(rope.InverseFrequencies(1), i => Plain(i, 16, 500000), 8);
        AreClose(rope.InverseFrequencies(100000), i => Plain(i, 16, 500000), 8);
        Assert.Multiple(() =>
        {
            Assert.That(rope.Regime(100000), Is.Zero);
            Assert.That(rope.AttentionFactor(100000), Is.EqualTo(1));
        });
    }

    [Test]
    public void Partial_rotary_uses_the_rotated_width()
    {
        RotaryFrequencies rope = Of("gpt_neox", "\"rotary_pct\": 0.25, \"rotary_emb_base\": 20000");
        Assert.That(rope.Config.RotaryDim, Is.EqualTo(4));
        AreClose(rope.InverseFrequencies(5), i => Plain(i, 4, 20000), 2);
    }

    [Test]
    public void NeoX_rotates_a_quarter_unless_told_otherwise() =>
        Assert.That(Of("gpt_neox", "").Config.RotaryDim, Is.EqualTo(4));

    [Test]
    public void Linear_divides_every_frequency() => AreClose(
        Of("llama", """ "rope_scaling": {"type": "linear", "factor": 2.5} """).InverseFrequencies(9), i => Plain(i) / 2.5, 8);

    [Test]
    public void Dynamic_grows_its_base_beyond_the_trained_length()
    {
        RotaryFrequencies rope = Of("llama", """ "rope_scaling": {"rope_type": "dynamic", "factor": 4.0} """);
        AreClose(rope.InverseFrequencies(256), i => Plain(i), 8);
        foreach (int n in new[] { 257, 300, 1000 })
        {
            double theta = 10000 * Math.Pow((4.0 * n / 256) - 3, 16 / 14.0);
            AreClose(rope.InverseFrequencies(n), i => Plain(i, 16, theta), 8);
        }

        Assert.Multiple(() =>
        {
            Assert.That(rope.Regime(1), Is.EqualTo(rope.Regime(256)));
            Assert.That(rope.Regime(257), Is.Not.EqualTo(rope.Regime(256)));
            Assert.That(rope.Regime(258), Is.Not.EqualTo(rope.Regime(257)));
        });
    }

    [Test]
    public void Llama3_keeps_high_divides_low_and_blends_between()
    {
        RotaryFrequencies rope = Of(
            "llama",
            """
            "head_dim": 32, "rope_theta": 500000, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
            """);
        int kept = 0, divided = 0, blended = 0;
        AreClose(rope.InverseFrequencies(10), Expected, 16);
        Assert.That(new[] { kept, divided, blended }, Is.All.GreaterThan(0), "the case should show all three bands");

        double Expected(int i)
        {
            double f = Plain(i, 32, 500000);
            double turns = 64 * f / (2 * Math.PI); // over the original length
            if (turns > 4)
            {
                kept++;
                return f;
            }

            if (turns < 1)
            {
                divided++;
                return f / 8;
            }

            blended++;
            double share = (turns - 1) / 3;
            return (share * f) + ((1 - share) * f / 8);
        }
    }

    [Test]
    public void Longrope_switches_its_divisors_at_the_original_length()
    {
        RotaryFrequencies rope = Of(
            "phi3",
            """
            "original_max_position_embeddings": 64, "rope_scaling": {"type": "su",
            "short_factor": [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8]}
            """);
        AreClose(rope.InverseFrequencies(64), i => Plain(i) / (1 + (0.1 * i)), 8);
        AreClose(rope.InverseFrequencies(65), i => Plain(i) / (1 + i), 8);
        Assert.Multiple(() =>
        {
            Assert.That(rope.Regime(64), Is.EqualTo(rope.Regime(1)));
            Assert.That(rope.Regime(65), Is.Not.EqualTo(rope.Regime(64)));
            Assert.That(rope.Regime(66), Is.EqualTo(rope.Regime(65)));
            // factor 256 / 64 = 4 = 64^(1/3): √(1 + 1/3)
            Assert.That(rope.AttentionFactor(10), Is.EqualTo(Math.Sqrt(4.0 / 3)).Within(1e-14));
            Assert.That(rope.AttentionFactor(100), Is.EqualTo(rope.AttentionFactor(10)));
        });
    }

    [Test]
    public void Longrope_honours_partial_rotary_and_an_explicit_attention_factor()
    {
        RotaryFrequencies rope = Of(
            "phi3",
            """
            "partial_rotary_factor": 0.75, "original_max_position_embeddings": 64, "rope_scaling": {"type": "longrope",
            "short_factor": [1, 1, 1, 1, 1, 1], "long_factor": [2, 2, 2, 2, 2, 2], "attention_factor": 1.25}
            """);
        AreClose(rope.InverseFrequencies(65), i => Plain(i, 12) / 2, 6);
        Assert.That(rope.AttentionFactor(65), Is.EqualTo(1.25));
    }

    [Test]
    public void Longrope_of_another_family_takes_its_factor_from_the_scaling()
    {
        RotaryFrequencies rope = Of(
            "llama",
            """
            "rope_scaling": {"rope_type": "longrope", "factor": 16.0, "short_factor": [1, 1, 1, 1, 1, 1, 1, 1],
            "long_factor": [2, 2, 2, 2, 2, 2, 2, 2]}
            """);
        Assert.Multiple(() =>
        {
            Assert.That(rope.Regime(256), Is.Zero);
            Assert.That(rope.Regime(257), Is.EqualTo(1));
            Assert.That(rope.AttentionFactor(1), Is.EqualTo(Math.Sqrt(1.5)).Within(1e-14)); // log 16 / log 256 = 1/2
        });
    }

    // Values printed by transformers 5 (float32) for head 256, a quarter of it rotated, base 10^7, original length 262144.
    [Test]
    public void Yarn_agrees_with_values_printed_by_transformers()
    {
        RotaryFrequencies rope = Of(
            "llama",
            """
            "head_dim": 256, "partial_rotary_factor": 0.25, "rope_theta": 10000000, "max_position_embeddings": 262144,
            "rope_scaling": {"rope_type": "yarn", "factor": 1.5625, "original_max_position_embeddings": 262144}
            """);
        double[] frequencies = rope.InverseFrequencies(10);
        Assert.Multiple(() =>
        {
            Assert.That(rope.AttentionFactor(10), Is.EqualTo(1.044628710262842).Within(1e-12));
            Assert.That(frequencies[1], Is.EqualTo(6.042963862e-01).Within(1e-5).Percent);
            Assert.That(frequencies[14], Is.EqualTo(8.659643354e-04).Within(1e-4).Percent);
            Assert.That(frequencies[15], Is.EqualTo(4.997506621e-04).Within(1e-4).Percent);
            Assert.That(frequencies[20], Is.EqualTo(3.078384179e-05).Within(1e-4).Percent);
            Assert.That(frequencies[22], Is.EqualTo(9.855529242e-06).Within(1e-4).Percent);
            Assert.That(frequencies[24], Is.EqualTo(3.598984449e-06).Within(1e-4).Percent);
        });
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Yarn_blends_along_a_ramp_between_two_wavelengths(bool truncate)
    {
        RotaryFrequencies rope = Of(
            "llama",
            $$"""
            "head_dim": 32, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64,
            "beta_fast": 8, "beta_slow": 0.5, "truncate": {{(truncate ? "true" : "false")}}}
            """);

        // Index whose frequency turns r times in 64 positions: 10000^(−2i/32)·64 = 2πr.
        double low = 16 * Math.Log(64 / (2 * Math.PI * 8)) / Math.Log(10000);
        double high = 16 * Math.Log(64 / (2 * Math.PI * 0.5)) / Math.Log(10000);
        if (truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        AreClose(
            rope.InverseFrequencies(10),
            i =>
            {
                double share = i <= low ? 0 : i >= high ? 1 : (i - low) / (high - low);
                return Plain(i, 32) * (1 - share + (share / 4));
            },
            16);
    }

    // ln 4 = 1.3862943611198906; both weights must be there for either to count.
    [TestCase("\"truncate\": true", 1.1386294361119891)]
    [TestCase("\"attention_factor\": 1.5", 1.5)]
    [TestCase("\"mscale\": 2.0, \"mscale_all_dim\": 0.5", 1.2772588722239782 / 1.0693147180559945)]
    [TestCase("\"mscale\": 2.0", 1.1386294361119891)]
    public void Yarn_attention_factor(string more, double expected)
    {
        string fields = "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 64, " + more + "}";
        Assert.That(Of("qwen2", fields).AttentionFactor(1), Is.EqualTo(expected).Within(1e-14));
    }

    [Test]
    public void Yarn_takes_the_explicit_factor_also_where_the_lengths_say_another()
    {
        RopeConfig rope = Configs.Parse(
            "qwen2", """ "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256} """).Rope!;
        Assert.That(rope.Factor, Is.EqualTo(4));
    }

    [TestCase("llama", """ "rope_scaling": {"type": "ntk", "factor": 2} """, "rope_scaling.rope_type")]
    [TestCase("llama", """ "rope_scaling": {"type": "su", "factor": 2} """, "rope_scaling.rope_type")]
    [TestCase("phi3", """ "rope_scaling": {"type": "linear", "factor": 2} """, "rope_scaling.rope_type")]
    [TestCase("llama", """ "rope_scaling": {"factor": 2} """, "rope_scaling.rope_type")]
    [TestCase("llama", """ "rope_scaling": {"type": 3} """, "rope_scaling.type")]
    [TestCase("llama", """ "rope_scaling": {"type": "linear"} """, "rope_scaling.factor")]
    [TestCase("llama", """ "rope_scaling": {"type": "linear", "factor": 0} """, "rope_scaling.factor")]
    [TestCase("llama", """ "rope_scaling": {"type": "linear", "factor": "2"} """, "rope_scaling.factor")]
    [TestCase("llama", """ "rope_scaling": {"type": "dynamic"} """, "rope_scaling.factor")]
    [TestCase("llama", """ "rope_scaling": "linear" """, "rope_scaling")]
    [TestCase("llama", """ "rope_theta": 0 """, "rope_theta")]
    [TestCase("llama", """ "rope_theta": "big" """, "rope_theta")]
    [TestCase("llama", """ "partial_rotary_factor": 1.5 """, "partial_rotary_factor")]
    [TestCase("llama", """ "partial_rotary_factor": 0.2 """, "partial_rotary_factor")]
    [TestCase("llama", """ "rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4} """,
        "rope_scaling.original_max_position_embeddings")]
    [TestCase("llama", """ "rope_scaling": {"type": "llama3", "factor": 8, "high_freq_factor": 4} """, "rope_scaling.low_freq_factor")]
    [TestCase("llama", """ "rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4} """,
        "rope_scaling.high_freq_factor")]
    [TestCase("phi3", """ "rope_scaling": {"type": "longrope", "long_factor": [1,1,1,1,1,1,1,1]} """, "rope_scaling.short_factor")]
    [TestCase("phi3", """ "rope_scaling": {"type": "longrope", "short_factor": [1,1], "long_factor": [1,1]} """, "rope_scaling.short_factor")]
    [TestCase("phi3", """ "rope_scaling": {"type": "longrope", "short_factor": [1,1,1,1,1,1,1,0], "long_factor": [1,1,1,1,1,1,1,1]} """,
        "rope_scaling.short_factor")]
    [TestCase("llama", """ "rope_scaling": {"type": "yarn"} """, "rope_scaling.factor")]
    [TestCase("llama", """ "rope_parameters": {"full_attention": {"rope_theta": 1e4}, "sliding_attention": {"rope_theta": 1e6}} """,
        "rope_parameters")]
    public void Refusals_name_the_field(string modelType, string fields, string field) =>
        Assert.That(Configs.Refused(modelType, fields).Field, Is.EqualTo(field));

    [TestCase(""" "rope_parameters": {"rope_theta": 50000.0, "rope_type": "linear", "factor": 2.0} """)]
    [TestCase(""" "rope_theta": 50000, "rope_parameters": {"rope_type": "linear", "factor": 2.0} """)]
    [TestCase(""" "rope_parameters": {"full_attention": {"rope_theta": 5e4, "rope_type": "linear", "factor": 2}, "sliding_attention": {"rope_theta": 5e4, "rope_type": "linear", "factor": 2}} """)]
    [TestCase(""" "rope_theta": 50000, "rope_scaling": {"type": "linear", "factor": 2, "rope_type": "linear"} """)]
    public void Both_schemas_say_the_same(string fields) => Assert.That(
        Configs.Parse("llama", fields).Rope,
        Is.EqualTo(Configs.Parse("llama", """ "rope_theta": 50000.0, "rope_scaling": {"type": "linear", "factor": 2.0} """).Rope));
}
