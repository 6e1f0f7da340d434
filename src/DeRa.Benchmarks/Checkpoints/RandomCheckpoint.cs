using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DeRa.Benchmarks;

/// <summary>
/// Writes a checkpoint folder with random bfloat16 weights. Matrices are uniform with standard deviation 0.02 (Llama's initializer_range), so
/// logits of normed hidden states have a standard deviation of 0.02·√hidden, about 1; norms are 1.
/// </summary>
internal static class RandomCheckpoint
{
    /// <summary>Matrices repeat this many random elements; a prime, so that no two rows of a matrix are alike.</summary>
    private const int BlockElements = 1_048_573;

    private const ushort One = 0x3F80; // 1 in bfloat16

    /// <summary>Writes config.json and model.safetensors.</summary>
    /// <param name="shape">The model's shape.</param>
    /// <param name="folder">Created if need be.</param>
    /// <param name="seed">Models of different seeds share no matrix.</param>
    /// <param name="noise">Standard deviation of what is added to each weight, as a share of the weights' own: models of one seed differ by that.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Write(ModelShape shape, string folder, int seed, float noise = 0)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "config.json"), JsonSerializer.SerializeToUtf8Bytes(Config(shape)));
        using FileStream file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(Header(shape));
        byte[] block = Block(seed, noise), ones = Ones(shape.HiddenSize);
        int cursor = 0; // elements of the block used so far; goes on from matrix to matrix
        foreach ((string _, int[] dimensions, long elements) in shape.Tensors())
        {
            if (dimensions.Length == 1)
            {
                file.Write(ones);
            }
            else
            {
                WriteRepeated(file, block, elements, ref cursor);
            }
        }
    }

    private static void WriteRepeated(FileStream file, byte[] block, long elements, ref int cursor)
    {
        while (elements > 0)
        {
            int count = (int)Math.Min(elements, BlockElements - cursor);
            file.Write(block, 2 * cursor, 2 * count);
            cursor = (cursor + count) % BlockElements;
            elements -= count;
        }
    }

    /// <summary>Random bfloat16 numbers, uniform with standard deviation 0.02; a prime number of them.</summary>
    public static byte[] Block(int seed, float noise = 0)
    {
        Random random = new(seed), other = new(~seed);
        float range = 0.02f * MathF.Sqrt(3); // a uniform distribution's standard deviation is its half width / √3
        ushort[] values = new ushort[BlockElements];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (ushort)(BitConverter.SingleToUInt32Bits(range * (Uniform(random) + (noise == 0 ? 0 : noise * Uniform(other)))) >> 16);
        }

        return MemoryMarshal.AsBytes<ushort>(values).ToArray();

        static float Uniform(Random from) => (2 * from.NextSingle()) - 1;
    }

    private static byte[] Ones(int length)
    {
        ushort[] values = new ushort[length];
        Array.Fill(values, One);
        return MemoryMarshal.AsBytes<ushort>(values).ToArray();
    }

    // Eight bytes of length, then JSON padded with spaces so that data starts at a multiple of 8.
    private static byte[] Header(ModelShape shape)
    {
        var entries = new Dictionary<string, object>();
        long offset = 0;
        foreach ((string name, int[] dimensions, long elements) in shape.Tensors())
        {
            entries.Add(name, new { dtype = "BF16", shape = dimensions, data_offsets = new[] { offset, offset + (2 * elements) } });
            offset += 2 * elements;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(entries);
        byte[] header = new byte[8 + ((json.Length + 7) / 8 * 8)];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        json.CopyTo(header, 8);
        return header;
    }

    private static Dictionary<string, object> Config(ModelShape shape) => new()
    {
        ["architectures"] = new[] { "LlamaForCausalLM" },
        ["model_type"] = "llama",
        ["hidden_act"] = "silu",
        ["hidden_size"] = shape.HiddenSize,
        ["intermediate_size"] = shape.IntermediateSize,
        ["num_hidden_layers"] = shape.NumLayers,
        ["num_attention_heads"] = shape.NumHeads,
        ["num_key_value_heads"] = shape.NumKvHeads,
        ["vocab_size"] = shape.VocabSize,
        ["max_position_embeddings"] = 8192,
        ["rms_norm_eps"] = 1e-5,
        ["rope_theta"] = shape.VocabSize > 100_000 ? 500_000.0 : 10_000.0,
        ["tie_word_embeddings"] = shape.TiedOutput,
        ["torch_dtype"] = "bfloat16",
        ["bos_token_id"] = 1,
        ["eos_token_id"] = 2,
    };
}
