namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.Embed"/>.</summary>
internal static class EmbedChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach (DType dtype in Enum.GetValues<DType>())
        {
            foreach ((int tokens, int vocab, int hidden, float scale, bool learned) in new[]
            {
                (1, 1, 1, 1f, false), (3, 7, 17, 1f, true), (123, 507, 123, 11.09f, false), (5, 50, 768, 1f, true),
            })
            {
                yield return new SelfTestCase("Embed", $"{dtype} [{tokens}, {hidden}] of {vocab}, scale {scale}{(learned ? ", learned positions" : "")}", trial =>
                {
                    int[] ids = trial.Data.Indices(tokens, vocab), at = trial.Data.Indices(tokens, 9);
                    HostWeight table = trial.Data.Weight(dtype, vocab, hidden);
                    HostWeight? positions = learned ? trial.Data.Weight(dtype, 9, hidden) : null;
                    Expected expected = EmbedOracle.Compute(ids, table.Values, scale, at, positions?.Values);
                    trial.Compare("output", expected, bench =>
                    {
                        Matrix output = bench.Strided(new float[tokens, hidden]);
                        bench.Set.Embed(
                            bench.Ints(ids), bench.Weight(table, 0), scale, learned ? bench.Ints(at) : null, bench.Weight(positions), output);
                        return bench.Read(output);
                    });
                });
            }
        }
    }
}
