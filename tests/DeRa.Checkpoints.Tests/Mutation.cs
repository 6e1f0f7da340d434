namespace DeRa.Checkpoints.Tests;

/// <summary>Deterministic damage to a file: flipped, inserted, removed, repeated and swapped bytes, and hostile tokens.</summary>
public static class Mutation
{
    private static readonly byte[][] Tokens =
    [
        [.. "null"u8], [.. "-1"u8], [.. "1e999"u8], [.. "18446744073709551615"u8], [.. "9223372036854775807"u8], [.. "{}"u8],
        [.. "[[[["u8], [.. "\"\\ud800\""u8], [.. "\"data_offsets\":[0,0],"u8], [0xFF, 0xFE], [0], [.. "true"u8], [.. "0.5"u8],
    ];

    public static byte[] Of(byte[] original, Random random)
    {
        List<byte> bytes = [.. original];
        int count = 1 + random.Next(4);
        for (int i = 0; i < count; i++) Once(bytes, random);
        return [.. bytes];
    }

    private static void Once(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count + 1);
        int length = Math.Min(1 + random.Next(8), bytes.Count - at);
        switch (random.Next(6))
        {
            case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]); break;
            case 2: bytes.RemoveRange(at, length); break;
            case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 4 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
            default: bytes.RemoveRange(at, bytes.Count - at); break;
        }
    }
}
