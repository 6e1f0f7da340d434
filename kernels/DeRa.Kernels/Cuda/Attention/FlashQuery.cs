using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>A warp's elements of a tile's rounded query: per block of 32, rows g and g + 8.</summary>
internal struct FlashQuery
{
    public Quad Upper0;
    public Quad Lower0;
    public Quad Upper1;
    public Quad Lower1;
    public Quad Upper2;
    public Quad Lower2;
    public Quad Upper3;
    public Quad Lower3;

    /// <summary>Reads and rounds; elements past the head's are zeros.</summary>
    public static FlashQuery Load<TFormat, TWidth>(FlashArgs args, FlashTile tile, int firstBlock)
        where TFormat : struct, ITensorFormat
        where TWidth : struct, IHeadWidth
    {
        long upper = tile.Query(args, Lane.Line), lower = tile.Query(args, Lane.Line + 8);
        FlashQuery query = default;
        query.Upper0 = Load<TFormat>(args, upper, firstBlock);
        query.Lower0 = Load<TFormat>(args, lower, firstBlock);
        query.Upper1 = Load<TFormat>(args, upper, firstBlock + 1);
        query.Lower1 = Load<TFormat>(args, lower, firstBlock + 1);
        if (TWidth.Slabs > 1)
        {
            query.Upper2 = Load<TFormat>(args, upper, firstBlock + 2);
            query.Lower2 = Load<TFormat>(args, lower, firstBlock + 2);
            query.Upper3 = Load<TFormat>(args, upper, firstBlock + 3);
            query.Lower3 = Load<TFormat>(args, lower, firstBlock + 3);
        }

        return query;
    }

    /// <summary>q·k of 16 rows × 64 positions over the first slab.</summary>
    public readonly Sums8 First<TFormat>(ArrayView<Quad> keys)
        where TFormat : struct, ITensorFormat
    {
        Sums8 s = ChunkProducts<TFormat>.Scores(default, Upper0, Lower0, keys, 0);
        return ChunkProducts<TFormat>.Scores(s, Upper1, Lower1, keys, 1);
    }

    /// <summary>The same over the second, added.</summary>
    public readonly Sums8 Second<TFormat>(Sums8 s, ArrayView<Quad> keys)
        where TFormat : struct, ITensorFormat
    {
        s = ChunkProducts<TFormat>.Scores(s, Upper2, Lower2, keys, 0);
        return ChunkProducts<TFormat>.Scores(s, Upper3, Lower3, keys, 1);
    }

    private static Quad Load<TFormat>(FlashArgs args, long query, int block)
        where TFormat : struct, ITensorFormat
    {
        int dim = args.Attention.Layout.HeadDim, element = block * Fragments.Block + Fragments.Load * Lane.Place;
        float exists = IntrinsicMath.Clamp(dim - element, 0, 1);
        Eight x = WeightEight.Activations(ref args.Attention.Qkv.Data[query + IntrinsicMath.Min(element, dim - Fragments.Load)]);
        return Fragments.Round<TFormat>(new Eight
        {
            A = x.A * exists,
            B = x.B * exists,
            C = x.C * exists,
            D = x.D * exists,
            E = x.E * exists,
            F = x.F * exists,
            G = x.G * exists,
            H = x.H * exists,
        });
    }
}
