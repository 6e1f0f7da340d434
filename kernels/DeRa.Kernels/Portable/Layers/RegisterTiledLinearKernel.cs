using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …, of many rows and an output-major weight: a tile of 64 outputs × 32 rows a group of 128, 8 × 8 of them in the registers
/// of a work-item. Four blocks of eight inputs of both operands are staged in shared memory as float32, the next four already on their way to registers,
/// and each of four teams of 32 multiplies one block for the whole tile.
/// </summary>
/// <remarks>
/// An output's sum has the order of <see cref="CooperativeProjector{TFormat}"/>, and so its bits: sixteen lanes, each with every sixteenth block, are added
/// in order. A pass over the inputs takes four neighbouring lanes, one a team, whose blocks are 32 neighbouring inputs: 64 bytes of a 16-bit weight's row.
/// At its end the four sums join the tile's totals in order. Blocks past the last input are not multiplied, rows and outputs past the last repeat it.
/// <para>
/// Bound: 2·rows·in·out FLOPs of float32. A stage costs a work-item 512 multiply-adds beside 32 loads of 16 bytes from shared memory, most of them
/// the same for several members, 24 stores to it and 3 loads of eight elements. Bytes through the second-level cache: weights once for 32 rows, activations
/// once for 64 outputs; for [2048, 4096] to 4096 with float32 weights 6.4 GB and 69 GFLOP, 1.0 ms on H100 by its 67 TFLOP/s and 1.2 ms by the assumed
/// 5.5 TB/s of its cache. Not measured yet.
/// </para>
/// </remarks>
internal static class RegisterTiledLinearKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Outputs, and rows, of a group's tile.</summary>
    public const int Outputs = 64, Rows = 32;

    /// <summary>Elements that have to be at a multiple of sixteen bytes, in rows of weights and activations.</summary>
    public const int Block = 8;

    private const int Teams = 4, Members = Team.Size / Teams, Lanes = 16, Stage = Teams * Block, Round = Lanes * Block;

    // A block of the stage is [input][64 outputs, 32 rows]; blocks are padded apart so that what four neighbours write lies in different banks.
    private const int InputFours = (Outputs + Rows) / 4, BlockFours = Block * InputFours + 2;

    // Row tiles that take the weights one after another: rows that a second-level cache of a few MB holds while all weights pass.
    private const int BandTiles = 16;

    public static void Run(LinearArgs args)
    {
        ArrayView<Four> stage = SharedMemory.Allocate<Four>(Teams * BlockFours);
        ArrayView<float> totals = SharedMemory.Allocate<float>(Outputs * Rows);
        int thread = Group.IdxX, depth = args.X.Columns;
        int rowTiles = (args.X.Rows + Rows - 1) / Rows, outputTiles = (args.Y.Columns + Outputs - 1) / Outputs;
        int band = Grid.IdxX / (BandTiles * outputTiles), inBand = Grid.IdxX % (BandTiles * outputTiles);
        int bandTiles = IntrinsicMath.Min(BandTiles, rowTiles - band * BandTiles);
        int firstRow = (band * BandTiles + inBand % bandTiles) * Rows, firstOutput = inBand / bandTiles * Outputs;

        // Neighbours stage neighbouring blocks of a line: two of weights and one of activations for each work-item.
        int block = thread % Teams, line = thread / Teams, lastOutput = args.Y.Columns - 1;
        long w0 = args.W.Offset + (long)IntrinsicMath.Min(firstOutput + line, lastOutput) * depth;
        long w1 = args.W.Offset + (long)IntrinsicMath.Min(firstOutput + Rows + line, lastOutput) * depth;
        long x0 = args.X.Row(IntrinsicMath.Min(firstRow + line, args.X.Rows - 1));
        int target = 4 * block * BlockFours + line, last = depth - Block;

        // A member has outputs 4g … 4g + 3 and those 32 further on, and rows 4r … 4r + 3 and those 16 further on.
        int team = thread / Members, member = thread % Members, g = member % 8, r = member / 8, own = team * BlockFours;
        for (int i = thread; i < Outputs * Rows; i += Team.Size)
        {
            totals[i] = 0;
        }

        int at = IntrinsicMath.Min(block * Block, last);
        StoredEight nextW0 = TFormat.Fetch(args.W.Data, w0 + at), nextW1 = TFormat.Fetch(args.W.Data, w1 + at);
        StoredEight nextX = StoredEight.OfActivations(args.X.Data, x0 + at);
        for (int pass = 0; pass < Round; pass += Stage)
        {
            Tile8 sums = default;
            for (int k = pass; k < depth; k += Round)
            {
                Store(stage.Cast<float>(), target, TFormat.Decode(nextW0));
                Store(stage.Cast<float>(), target + Rows, TFormat.Decode(nextW1));
                Store(stage.Cast<float>(), target + Outputs, StoredEight.Float32(nextX));
                GroupBarrier.Wait();

                int next = k + Round < depth ? k + Round : pass + Stage;
                at = IntrinsicMath.Min(next + block * Block, last);
                nextW0 = TFormat.Fetch(args.W.Data, w0 + at);
                nextW1 = TFormat.Fetch(args.W.Data, w1 + at);
                nextX = StoredEight.OfActivations(args.X.Data, x0 + at);

                int inputs = k + team * Block < depth ? Block : 0;
                for (int i = 0; i < inputs; i++)
                {
                    int from = own + i * InputFours;
                    sums = Tile8.MultiplyAdd(
                        stage[from + g], stage[from + 8 + g], stage[from + Outputs / 4 + r], stage[from + Outputs / 4 + 4 + r], sums);
                }

                GroupBarrier.Wait(); // before the stage is overwritten
            }

            for (int lane = 0; lane < Teams; lane++)
            {
                for (int one = team; one == lane; one += Teams)
                {
                    sums.Store(stage, 4 * r * (Outputs / 4) + g, Outputs / 4);
                }

                GroupBarrier.Wait();
                for (int i = thread; i < Outputs * Rows; i += Team.Size)
                {
                    totals[i] += stage.Cast<float>()[i];
                }

                GroupBarrier.Wait();
            }
        }

        for (int i = thread; i < Outputs * Rows; i += Team.Size)
        {
            int row = firstRow + i / Outputs, output = firstOutput + i % Outputs;
            if (row < args.X.Rows && output < args.Y.Columns)
            {
                args.Write(row, output, totals[i]);
            }
        }
    }

    private static void Store(ArrayView<float> stage, int target, Eight line)
    {
        const int Input = 4 * InputFours;
        stage[target] = line.A;
        stage[target + Input] = line.B;
        stage[target + 2 * Input] = line.C;
        stage[target + 3 * Input] = line.D;
        stage[target + 4 * Input] = line.E;
        stage[target + 5 * Input] = line.F;
        stage[target + 6 * Input] = line.G;
        stage[target + 7 * Input] = line.H;
    }
}
