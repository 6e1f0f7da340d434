namespace DeRa.Models.Tests;

/// <summary>Comparison of token → id maps.</summary>
public sealed class PairCheckTests
{
    private static readonly Dictionary<string, int> Map = new() { ["a"] = 0, ["b"] = 1, ["c"] = 2 };

    [Test]
    public void Equal_maps_pass_whatever_their_order() =>
        Assert.That(() => PairCheck.Compare(Map, new Dictionary<string, int> { ["c"] = 2, ["a"] = 0, ["b"] = 1 }, 3), Throws.Nothing);

    [Test]
    public void The_first_difference_by_id_is_named()
    {
        var e = Assert.Throws<PairMismatchException>(() => PairCheck.Compare(Map, new Dictionary<string, int> { ["a"] = 0, ["c"] = 1, ["b"] = 2 }, 3));
        Assert.That((e!.Token, e.ReferenceId, e.AlignedId), Is.EqualTo(("b", 1, 2)));
        Assert.That(e.Message, Does.Contain("'b'").And.Contain("id 1").And.Contain("id 2"));
    }

    [Test]
    public void A_token_missing_on_either_side_is_named()
    {
        var more = new Dictionary<string, int>(Map) { ["d"] = 3 };
        var e = Assert.Throws<PairMismatchException>(() => PairCheck.Compare(Map, more, 4));
        Assert.That((e!.Token, e.ReferenceId, e.AlignedId), Is.EqualTo(("d", (int?)null, 3)));
        e = Assert.Throws<PairMismatchException>(() => PairCheck.Compare(more, Map, 4));
        Assert.That((e!.Token, e.ReferenceId, e.AlignedId), Is.EqualTo(("d", 3, (int?)null)));
    }

    [Test]
    public void A_token_without_a_row_in_both_matrices_is_refused() =>
        Assert.That(() => PairCheck.Compare(Map, Map, 2), Throws.TypeOf<PairMismatchException>().With.Message.Contain("'c'").And.Message.Contain("2"));
}
