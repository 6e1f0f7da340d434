using System.Globalization;
using System.Text;

namespace DeRa.Kernels.Portable;

/// <summary>
/// OpenCL C for <see cref="SerialTile.Rows"/>: tiles of rows × outputs, as many sums as the vector registers hold beside the operands. A sum has the
/// same order in every tile.
/// </summary>
/// <remarks>
/// Measured through PoCL 3.1 on 2 cores of an AMD EPYC (AVX-512), bf16, 65,536 outputs of 768 inputs read from memory: one row by tiles of 1 × 4
/// 14–16 GB/s; with a prefetch some rows ahead, which the processor's own prefetcher does not reach in rows this short, 33; by 1 × 2 in steps of 16
/// inputs 35–38, and the best where inputs are 2048 too. Eight rows: 4 × 4 79–83 GFLOP/s, with the prefetch 118, 8 × 2 with it 133–153. 512 rows of
/// 768 to 2048: 4 × 3 175, 6 × 4 188–196.
/// </remarks>
internal static class SerialRowTiles
{
    // Bytes ahead of what is being read: some rows, past the 4 KiB pages at which the processor's own prefetcher stops.
    private const int PrefetchAhead = 8192;

    // From here on the weights come from the cache for all but the first rows, and a tile that loads least is best.
    private const int ManyRows = 24;

    // 32 registers of eight floats: AVX-512VL. Without: sixteen.
    private static readonly Tile[] Wide = [new(6, 4, 1, Least: ManyRows), new(8, 2, 1), new(4, 4, 1), new(2, 4, 1), new(1, 2, 2)];
    private static readonly Tile[] Narrow = [new(4, 3, 1), new(2, 4, 1), new(1, 2, 2)];

    /// <summary>A block statement.</summary>
    /// <param name="names">Expressions of the arguments.</param>
    /// <param name="mostRows">No call has more.</param>
    /// <param name="source">The storage type.</param>
    public static StringBuilder Code(Names names, int mostRows, SerialSource source)
    {
        var code = new StringBuilder();
        code.Append(CultureInfo.InvariantCulture, $$"""
            {
                global const {{source.Type}}* w_ = (global const {{source.Type}}*)(size_t)({{names.W}});
                global const float* x_ = (global const float*)(size_t)({{names.X}});
                global float* t_ = (global float*)(size_t)({{names.Target}});
                const int depth_ = {{names.Depth}}, outputs_ = {{names.Outputs}}, rows_ = {{names.Rows}}, add_ = {{names.Accumulate}};
                const size_t xs_ = {{names.XStride}}, ts_ = {{names.TargetStride}}, ws_ = depth_;
                int r_ = 0;
            #ifdef __AVX512VL__

            """);
        Append(code, source, Wide.Where(tile => tile.Rows <= mostRows));
        code.Append("#else\n");
        Append(code, source, Narrow.Where(tile => tile.Rows <= mostRows));
        return code.Append("#endif\n}\n");
    }

    private static void Append(StringBuilder code, SerialSource source, IEnumerable<Tile> tiles)
    {
        foreach (Tile tile in tiles)
        {
            string condition = tile.Least > 0 ? $"if (rows_ >= {tile.Least}) " : "";
            code.Append(CultureInfo.InvariantCulture, $"{condition}for (; r_ + {tile.Rows} <= rows_; r_ += {tile.Rows}) {{ int o_ = 0;\n");
            foreach (Tile part in new[] { tile, tile with { Outputs = 1, Steps = 1 } })
            {
                code.Append(CultureInfo.InvariantCulture, $"for (; o_ + {part.Outputs} <= outputs_; o_ += {part.Outputs}) {{\n");
                Append(code, source, part);
                code.Append("}\n");
            }

            code.Append("}\n");
        }
    }

    private static void Append(StringBuilder code, SerialSource source, Tile tile)
    {
        void Line(string text) => code.Append(text).Append('\n');
        for (int r = 0; r < tile.Rows; r++)
        {
            Line($"global const float* x{r}_ = x_ + (r_ + {r}) * xs_;");
        }

        for (int o = 0; o < tile.Outputs; o++)
        {
            Line($"global const {source.Type}* w{o}_ = w_ + (o_ + {o}) * ws_;");
            for (int r = 0; r < tile.Rows; r++)
            {
                Line($"float8 a{r}{o}_ = 0;");
            }
        }

        Line("int k_ = 0;");
        foreach (int steps in tile.Steps > 1 ? new[] { tile.Steps, 1 } : [1])
        {
            Line($"for (; k_ + {8 * steps} <= depth_; k_ += {8 * steps}) {{");
            if (tile.Outputs > 1 && tile.Least == 0)
            {
                AppendPrefetch(code, source, tile.Outputs, steps);
            }

            for (int step = 0; step < steps; step++)
            {
                AppendStep(code, source, tile, 8 * step);
            }

            Line("}");
        }

        for (int r = 0; r < tile.Rows; r++)
        {
            for (int o = 0; o < tile.Outputs; o++)
            {
                Line($"{{ float4 h_ = a{r}{o}_.lo + a{r}{o}_.hi; float2 q_ = h_.lo + h_.hi; float s_ = q_.x + q_.y;");
                Line($"for (int i_ = k_; i_ < depth_; i_++) s_ = fma({source.Scalar($"w{o}_ + i_")}, x{r}_[i_], s_);");
                Line($"global float* p_ = t_ + (r_ + {r}) * ts_ + o_ + {o}; *p_ = add_ ? *p_ + s_ : s_; }}");
            }
        }
    }

    private static void AppendStep(StringBuilder code, SerialSource source, Tile tile, int ahead)
    {
        code.Append("{\n");
        for (int r = 0; r < tile.Rows; r++)
        {
            code.Append(CultureInfo.InvariantCulture, $"float8 v{r}_ = vload8(0, x{r}_ + k_ + {ahead});\n");
        }

        for (int o = 0; o < tile.Outputs; o++)
        {
            code.Append(CultureInfo.InvariantCulture, $"{{ float8 m_ = {source.Vector($"w{o}_ + k_ + {ahead}")};\n");
            for (int r = 0; r < tile.Rows; r++)
            {
                code.Append(CultureInfo.InvariantCulture, $"a{r}{o}_ = fma(m_, v{r}_, a{r}{o}_);\n");
            }

            code.Append("}\n");
        }

        code.Append("}\n");
    }

    // Weights of neighbouring outputs are neighbours in memory: a tile's outputs are one stretch, and so is what comes after it.
    private static void AppendPrefetch(StringBuilder code, SerialSource source, int outputs, int steps)
    {
        code.Append("#ifdef __clang__\n");
        for (int line = 0; line < Math.Max(1, outputs * steps * 8 * source.Size / 64); line++)
        {
            code.Append(
                CultureInfo.InvariantCulture,
                $"__builtin_prefetch((const void*)((size_t)w0_ + {PrefetchAhead + (64 * line)} + {outputs * source.Size} * (size_t)k_), 0, 3);\n");
        }

        code.Append("#endif\n");
    }

    /// <summary>Expressions of the arguments of <see cref="SerialTile.Rows"/>.</summary>
    internal readonly record struct Names(
        string W, string X, string Target, string Depth, string Outputs, string Rows, string XStride, string TargetStride, string Accumulate);

    /// <summary>Rows × outputs in steps of eight inputs, used from <paramref name="Least"/> rows on.</summary>
    private readonly record struct Tile(int Rows, int Outputs, int Steps, int Least = 0);
}
