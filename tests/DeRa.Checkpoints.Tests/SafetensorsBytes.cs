using System.Buffers.Binary;
using System.Text;
using DeRa.Checkpoints.Safetensors;

namespace DeRa.Checkpoints.Tests;

/// <summary>Builds safetensors files, right or wrong, from the text of a header.</summary>
public static class SafetensorsBytes
{
    public static byte[] File(string header, int dataLength, ulong? claimedLength = null) =>
        File(Encoding.UTF8.GetBytes(header), dataLength, claimedLength);

    public static byte[] File(byte[] header, int dataLength, ulong? claimedLength = null)
    {
        byte[] file = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(file, claimedLength ?? (ulong)header.Length);
        header.CopyTo(file, 8);
        for (int i = 0; i < dataLength; i++) file[8 + header.Length + i] = (byte)i;
        return file;
    }

    public static SafetensorsHeader Parse(byte[] file) => SafetensorsHeader.Parse(file, file.Length, "test.safetensors");

    public static SafetensorsHeader Parse(string header, int dataLength) => Parse(File(header, dataLength));

    public static CheckpointException Refused(string header, int dataLength)
    {
        CheckpointException? refusal = Assert.Throws<CheckpointException>(() => Parse(header, dataLength));
        return refusal!;
    }
}
