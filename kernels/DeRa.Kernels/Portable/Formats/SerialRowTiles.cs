using System.Globalization;
using System.Text;

namespace DeRa.Kernels.Portable;

/// <summary>
/// OpenCL C for <see cref="SerialTile.Rows"/>: tiles of rows × outputs, as many sums as the vector registers hold beside the operands. A sum has the
/// same order in every tile: as many partial sums as a vector has lanes.
/// </summary>
/// <remarks>Measured in docs/decisions/0019.</remarks>
internal static class SerialRowTiles
{
    /// <summary>Most rows that read weights as streams.</summary>
    public const int StreamedRows = 2;

    private const int StreamAhead = 4 * 1024;

    // Vectors of sixteen in 32 registers: AVX-512. Without: eight in sixteen. Weights are asked for as one stream some rows ahead, past the 4 KiB pages at
    // which the processor's own prefetcher stops; into the second-level cache, for the first has no room beside x.
    private static readonly Form Wide = new(16, 16 * 1024, 2, [new(8, 3, 2), new(4, 4, 2), new(2, 4, 2), new(1, 4, 2)]);
    private static readonly Form Narrow = new(8, 8 * 1024, 3, [new(4, 3, 1), new(2, 4, 1), new(1, 4, 2)]);

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
        Append(code, source, Wide, mostRows);
        code.Append("#else\n");
        Append(code, source, Narrow, mostRows);
        return code.Append("#endif\n}\n");
    }

    private static void Append(StringBuilder code, SerialSource source, Form form, int mostRows)
    {
        foreach (Tile tile in form.Tiles.Where(tile => tile.Rows <= mostRows))
        {
            code.Append(CultureInfo.InvariantCulture, $"for (; r_ + {tile.Rows} <= rows_; r_ += {tile.Rows}) {{ int o_ = 0;\n");
            if (tile.Rows <= StreamedRows)
            {
                // Memory sets the pace: a stream from each quarter of the outputs, docs/decisions/0020.
                code.Append(CultureInfo.InvariantCulture, $"const int apart_ = outputs_ / {tile.Outputs};\nfor (; o_ < apart_; o_++) {{\n");
                Append(code, source, form, tile);
                code.Append(CultureInfo.InvariantCulture, $"}}\no_ = {tile.Outputs} * apart_;\n");
            }
            else
            {
                code.Append(CultureInfo.InvariantCulture, $"const int apart_ = 1;\nfor (; o_ + {tile.Outputs} <= outputs_; o_ += {tile.Outputs}) {{\n");
                Append(code, source, form, tile);
                code.Append("}\n");
            }

            code.Append("for (; o_ < outputs_; o_++) {\n");
            Append(code, source, form, tile with { Outputs = 1, Steps = 1 });
            code.Append("}\n}\n");
        }
    }

    private static void Append(StringBuilder code, SerialSource source, Form form, Tile tile)
    {
        void Line(string text) => code.Append(text).Append('\n');
        for (int r = 0; r < tile.Rows; r++)
        {
            Line($"global const float* x{r}_ = x_ + (r_ + {r}) * xs_;");
        }

        for (int o = 0; o < tile.Outputs; o++)
        {
            Line($"global const {source.Type}* w{o}_ = w_ + (o_ + {o} * apart_) * ws_;");
            for (int r = 0; r < tile.Rows; r++)
            {
                Line($"float{form.Lanes} a{r}{o}_ = 0;");
            }
        }

        Line("int k_ = 0;");
        foreach (int steps in tile.Steps > 1 ? new[] { tile.Steps, 1 } : [1])
        {
            Line($"for (; k_ + {form.Lanes * steps} <= depth_; k_ += {form.Lanes * steps}) {{");
            if (tile.Rows > StreamedRows && tile.Outputs > 1)
            {
                AppendPrefetch(code, source, form, tile.Outputs, steps);
            }
            else if (tile.Rows > 1 && tile.Outputs > 1)
            {
                AppendStreamPrefetch(code, source, form, tile.Outputs, steps);
            }

            for (int step = 0; step < steps; step++)
            {
                AppendStep(code, source, tile, form.Lanes, form.Lanes * step, "");
            }

            Line("}");
        }

        if (form.Lanes == 16)
        {
            Line("if (k_ + 8 <= depth_) {");
            AppendStep(code, source, tile, 8, 0, ".lo");
            Line("k_ += 8; }");
        }

        for (int r = 0; r < tile.Rows; r++)
        {
            for (int o = 0; o < tile.Outputs; o++)
            {
                Line($"{{ {SerialText.Fold($"a{r}{o}_", form.Lanes)}");
                Line($"for (int i_ = k_; i_ < depth_; i_++) s_ = fma({source.Scalar($"w{o}_ + i_")}, x{r}_[i_], s_);");
                Line($"global float* p_ = t_ + (r_ + {r}) * ts_ + o_ + {o} * apart_; *p_ = add_ ? *p_ + s_ : s_; }}");
            }
        }
    }

    // What there is less of is loaded first and stays in registers.
    private static void AppendStep(StringBuilder code, SerialSource source, Tile tile, int lanes, int ahead, string half)
    {
        string X(int r) => $"float{lanes} v{r}_ = vload{lanes}(0, x{r}_ + k_ + {ahead});";
        string W(int o) => $"float{lanes} m{o}_ = {source.Vector($"w{o}_ + k_ + {ahead}", lanes)};";
        bool rowsFirst = tile.Rows <= tile.Outputs;
        int kept = rowsFirst ? tile.Rows : tile.Outputs, passing = rowsFirst ? tile.Outputs : tile.Rows;
        code.Append("{\n").AppendJoin('\n', Enumerable.Range(0, kept).Select(i => rowsFirst ? X(i) : W(i))).Append('\n');
        for (int i = 0; i < passing; i++)
        {
            code.Append("{ ").Append(rowsFirst ? W(i) : X(i)).Append('\n');
            for (int j = 0; j < kept; j++)
            {
                (int r, int o) = rowsFirst ? (j, i) : (i, j);
                code.Append(CultureInfo.InvariantCulture, $"a{r}{o}_{half} = fma(m{o}_, v{r}_, a{r}{o}_{half});\n");
            }

            code.Append("}\n");
        }

        code.Append("}\n");
    }

    // Weights of neighbouring outputs are neighbours in memory: a tile's outputs are one stretch, and so is what comes after it.
    private static void AppendPrefetch(StringBuilder code, SerialSource source, Form form, int outputs, int steps)
    {
        code.Append("#ifdef __clang__\n");
        for (int line = 0; line < Math.Max(1, outputs * steps * form.Lanes * source.Size / 64); line++)
        {
            code.Append(
                CultureInfo.InvariantCulture,
                $"__builtin_prefetch((const void*)((size_t)w0_ + {form.PrefetchAhead + (64 * line)} + {outputs * source.Size} * (size_t)k_), 0, {form.Locality});\n");
        }

        code.Append("#endif\n");
    }

    // A little ahead in each stream: with one row the processor's own prefetcher needs no help.
    private static void AppendStreamPrefetch(StringBuilder code, SerialSource source, Form form, int outputs, int steps)
    {
        code.Append("#ifdef __clang__\n");
        for (int output = 0; output < outputs; output++)
        {
            for (int line = 0; line < Math.Max(1, steps * form.Lanes * source.Size / 64); line++)
            {
                code.Append(
                    CultureInfo.InvariantCulture, $"__builtin_prefetch((const void*)((size_t)(w{output}_ + k_) + {StreamAhead + (64 * line)}), 0, 2);\n");
            }
        }

        code.Append("#endif\n");
    }

    /// <summary>Expressions of the arguments of <see cref="SerialTile.Rows"/>.</summary>
    internal readonly record struct Names(
        string W, string X, string Target, string Depth, string Outputs, string Rows, string XStride, string TargetStride, string Accumulate);

    /// <summary>Lanes of a vector, bytes ahead of what is being read, the cache they go to (3 the first level, 2 the second), and tiles.</summary>
    private sealed record Form(int Lanes, int PrefetchAhead, int Locality, Tile[] Tiles);

    /// <summary>Rows × outputs, <paramref name="Steps"/> vectors of inputs at a time.</summary>
    private readonly record struct Tile(int Rows, int Outputs, int Steps);
}
