using DeRa.Checkpoints.Safetensors;

namespace DeRa.Checkpoints.Tests;

/// <summary>One test for each rule of the format.</summary>
[TestFixture]
public sealed class SafetensorsHeaderTests
{
    private const string Pair =
        """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}""";

    [Test]
    public void Reads_types_shapes_and_positions()
    {
        SafetensorsHeader header = SafetensorsBytes.Parse(Pair, 32);
        SafetensorsTensor b = header.Tensors["b"];
        Assert.Multiple(() =>
        {
            Assert.That(header.DataOffset, Is.EqualTo(8 + Pair.Length));
            Assert.That(header.Tensors, Has.Count.EqualTo(2));
            Assert.That(header.Tensors["a"].Shape, Is.EqualTo(new long[] { 2, 3 }));
            Assert.That(b.Type, Is.EqualTo(SafetensorsType.BF16));
            Assert.That(b.Begin, Is.EqualTo(24));
            Assert.That(b.ByteLength, Is.EqualTo(8));
            Assert.That(b.ElementCount, Is.EqualTo(4));
        });
    }

    [Test]
    public void Order_in_the_header_need_not_be_order_in_the_buffer() => Assert.That(
        SafetensorsBytes.Parse(
            """{"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", 5).Tensors,
        Has.Count.EqualTo(2));

    [TestCase("BOOL", 1)]
    [TestCase("U8", 1)]
    [TestCase("I8", 1)]
    [TestCase("F8_E5M2", 1)]
    [TestCase("F8_E4M3", 1)]
    [TestCase("F8_E8M0", 1)]
    [TestCase("I16", 2)]
    [TestCase("U16", 2)]
    [TestCase("F16", 2)]
    [TestCase("BF16", 2)]
    [TestCase("I32", 4)]
    [TestCase("U32", 4)]
    [TestCase("F32", 4)]
    [TestCase("F64", 8)]
    [TestCase("I64", 8)]
    [TestCase("U64", 8)]
    public void Knows_every_element_type(string dtype, int size)
    {
        string header = $$$"""{"t":{"dtype":"{{{dtype}}}","shape":[3],"data_offsets":[0,{{{3 * size}}}]}}""";
        Assert.That(SafetensorsBytes.Parse(header, 3 * size).Tensors["t"].Type.ToString(), Is.EqualTo(dtype));
    }

    [Test]
    public void Scalars_and_empty_tensors_are_allowed()
    {
        SafetensorsHeader header = SafetensorsBytes.Parse(
            """{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]}}""", 4);
        Assert.Multiple(() =>
        {
            Assert.That(header.Tensors["s"].ElementCount, Is.EqualTo(1));
            Assert.That(header.Tensors["e"].ElementCount, Is.Zero);
        });
    }

    [Test]
    public void Empty_header_with_empty_buffer_is_allowed() => Assert.That(SafetensorsBytes.Parse("{}", 0).Tensors, Is.Empty);

    [Test]
    public void Trailing_spaces_are_allowed() => Assert.That(SafetensorsBytes.Parse(Pair + "     ", 32).Tensors, Has.Count.EqualTo(2));

    [TestCase("\0")]
    [TestCase("x")]
    [TestCase("{}")]
    [TestCase(",")]
    public void Anything_else_after_the_object_is_refused(string tail) =>
        Assert.That(SafetensorsBytes.Refused(Pair + tail, 32).Expected, Is.EqualTo("strict JSON"));

    [TestCase(" {}")]
    [TestCase("[]")]
    [TestCase("\uFEFF{}")]
    [TestCase("")]
    public void Header_starts_with_a_brace(string header) =>
        Assert.That(SafetensorsBytes.Refused(header, 0).Expected, Does.Contain("'{'"));

    [Test]
    public void Header_length_has_a_limit()
    {
        byte[] file = SafetensorsBytes.File("{}", 0, 100_000_001);
        var refusal = Assert.Throws<CheckpointException>(() => SafetensorsHeader.Parse(file, 200_000_000, "big.safetensors"))!;
        Assert.That(refusal.Message, Does.Contain("100000000").And.Contain("100000001").And.Contain("big.safetensors"));
    }

    [TestCase(3UL)]
    [TestCase(ulong.MaxValue)]
    [TestCase(1UL << 63)]
    [TestCase(100_000_000UL)]
    public void Header_length_stays_inside_the_file(ulong claimed)
    {
        byte[] file = SafetensorsBytes.File("{}", 0, claimed);
        Assert.That(Assert.Throws<CheckpointException>(() => SafetensorsBytes.Parse(file))!.Field, Is.EqualTo("header length"));
    }

    [TestCase(0)]
    [TestCase(7)]
    public void File_shorter_than_the_prefix_is_refused(int length)
    {
        byte[] file = new byte[length];
        Assert.That(Assert.Throws<CheckpointException>(() => SafetensorsBytes.Parse(file))!.Field, Is.EqualTo("header length"));
    }

    [Test]
    public void Header_is_utf8()
    {
        byte[] header = [.. "{\""u8, 0xC3, 0x28, .. "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"u8];
        byte[] file = SafetensorsBytes.File(header, 0);
        Assert.That(Assert.Throws<CheckpointException>(() => SafetensorsBytes.Parse(file))!.Expected, Is.EqualTo("UTF-8"));
    }

    [Test]
    public void Half_a_surrogate_pair_is_refused() => Assert.That(
        SafetensorsBytes.Refused("""{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0).Expected, Is.EqualTo("strict JSON"));

    [TestCase("""{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}""", TestName = "Trailing comma is refused")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}/*x*/}""", TestName = "Comment is refused")]
    [TestCase("""{'a':{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", TestName = "Single quotes are refused")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}""", TestName = "Unclosed object is refused")]
    [TestCase("""{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}""", TestName = "Leading zero is refused")]
    [TestCase("""{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,1]}}""", TestName = "NaN is refused")]
    public void Json_is_strict(string header) => Assert.That(SafetensorsBytes.Refused(header, 1).Expected, Is.EqualTo("strict JSON"));

    [Test]
    public void Nesting_has_a_limit()
    {
        string header = """{"a":{"dtype":"U8","shape":""" + new string('[', 100_000);
        Assert.That(SafetensorsBytes.Refused(header, 1).File, Is.EqualTo("test.safetensors"));
    }

    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "a")]
    [TestCase("""{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "a.dtype")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]}}""", "a.data_offsets")]
    [TestCase("""{"__metadata__":{},"__metadata__":{},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "__metadata__")]
    [TestCase("""{"__metadata__":{"k":"1","k":"1"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "__metadata__.k")]
    [TestCase("""{"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "a")]
    public void Keys_are_unique(string header, string field)
    {
        CheckpointException refusal = SafetensorsBytes.Refused(header, 1);
        Assert.Multiple(() =>
        {
            Assert.That(refusal.Found, Is.EqualTo("a duplicate"));
            Assert.That(refusal.Field, Is.EqualTo(field));
        });
    }

    [TestCase("""{"__metadata__":{"k":1}}""")]
    [TestCase("""{"__metadata__":{"k":null}}""")]
    [TestCase("""{"__metadata__":{"k":{}}}""")]
    [TestCase("""{"__metadata__":[]}""")]
    [TestCase("""{"__metadata__":"k"}""")]
    public void Metadata_maps_string_to_string(string header) =>
        Assert.That(SafetensorsBytes.Refused(header, 0).Field, Does.StartWith("__metadata__"));

    [TestCase("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", "a.dtype")]
    [TestCase("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1]}}""", "a.data_offsets")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}}""", "a")]
    [TestCase("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,1]}}""", "a.dtype")]
    [TestCase("""{"a":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}}""", "a.dtype")]
    [TestCase("""{"a":{"dtype":"1","shape":[1],"data_offsets":[0,1]}}""", "a.dtype")]
    [TestCase("""{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}""", "a.dtype")]
    [TestCase("""{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]}}""", "a.shape")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", "a.data_offsets")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", "a.data_offsets")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", "a.data_offsets")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":{}}}""", "a.data_offsets")]
    [TestCase("""{"a":[]}""", "a")]
    [TestCase("""{"a":null}""", "a")]
    public void Tensor_entries_have_exactly_their_three_fields(string header, string field) =>
        Assert.That(SafetensorsBytes.Refused(header, 1).Field, Is.EqualTo(field));

    [TestCase("[4294967296,4294967296]")]
    [TestCase("[9223372036854775807]")]
    [TestCase("[2305843009213693952,2,2]")]
    public void Products_are_checked(string shape) => Assert.That(
        SafetensorsBytes.Refused($$$"""{"a":{"dtype":"F32","shape":{{{shape}}},"data_offsets":[0,0]}}""", 0).Field, Is.EqualTo("a.shape"));

    [Test]
    public void Shape_times_size_is_the_number_of_bytes() => Assert.That(
        SafetensorsBytes.Refused("""{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}""", 20).Message,
        Does.Contain("24 bytes").And.Contain("20 bytes"));

    [TestCase("[1,2]", "[2,3]", 3, TestName = "Hole at the start is refused")]
    [TestCase("[0,1]", "[2,3]", 3, TestName = "Hole between tensors is refused")]
    [TestCase("[0,1]", "[0,1]", 1, TestName = "Overlap is refused")]
    [TestCase("[0,1]", "[1,2]", 3, TestName = "Bytes after the last tensor are refused")]
    [TestCase("[0,1]", "[1,2]", 1, TestName = "Tensor beyond the end of the file is refused")]
    public void Offsets_tile_the_buffer(string first, string second, int dataLength)
    {
        string header =
            $$$"""{"a":{"dtype":"U8","shape":[1],"data_offsets":{{{first}}} },"b":{"dtype":"U8","shape":[1],"data_offsets":{{{second}}} } }""";
        Assert.That(SafetensorsBytes.Refused(header, dataLength).Field, Does.EndWith("data_offsets"));
    }

    [Test]
    public void Message_stays_one_short_line_for_a_huge_name()
    {
        string header = $$$"""{"{{{new string('n', 50_000)}}}":{"dtype":"F31","shape":[1],"data_offsets":[0,1]}}""";
        Assert.That(SafetensorsBytes.Refused(header, 1).Message, Has.Length.LessThan(1000));
    }

    [Test]
    public void Ten_thousand_mutated_headers_give_typed_errors_and_small_allocations()
    {
        var random = new Random(20240811);
        byte[][] seeds =
        [
            SafetensorsBytes.File(Pair, 32),
            SafetensorsBytes.File("""{"__metadata__":{"format":"pt"},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   """, 4),
            SafetensorsBytes.File("""{"é":{"dtype":"F16","shape":[0,1,2],"data_offsets":[0,0]}}""", 0),
        ];
        int refused = 0, accepted = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] file = Mutation.Of(seeds[i % seeds.Length], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                SafetensorsHeader header = SafetensorsBytes.Parse(file);
                Assert.That(header.Tensors.Values.All(t => t.Begin >= 0 && header.DataOffset + t.End <= file.Length), Is.True);
                accepted++;
            }
            catch (CheckpointException)
            {
                refused++;
            }

            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1_000_000));
        }

        Assert.Multiple(() =>
        {
            Assert.That(refused, Is.GreaterThan(10_000));
            Assert.That(accepted, Is.GreaterThan(0), "mutations should sometimes leave a valid file");
        });
    }

    [Test]
    public void Broken_files_on_disk_are_refused_and_closed()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "broken.safetensors");
        foreach (byte[] file in (byte[][])[[], new byte[5], SafetensorsBytes.File("{}", 0, 1UL << 40), SafetensorsBytes.File("{}", 3)])
        {
            File.WriteAllBytes(path, file);
            Assert.That(() => SafetensorsFile.Open(path), Throws.TypeOf<CheckpointException>());
            File.Delete(path);
        }

        Assert.That(() => SafetensorsFile.Open(path), Throws.TypeOf<CheckpointException>());
    }
}
