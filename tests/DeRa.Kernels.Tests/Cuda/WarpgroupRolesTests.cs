using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>
/// The order in which warps with roles meet at their barriers: right for any number of stages, and any other is noticed by the emulation that the right one passes.
/// </summary>
internal sealed class WarpgroupRolesTests
{
    /// <summary>One stage, as many as the ring has and one fewer or more, and more than twice as many; a group takes all of them, in segments of two.</summary>
    [Test]
    public void Any_number_of_stages_is_drained()
    {
        using CudaKernelSet set = Set<InOrder>();
        foreach (int stages in new[] { 1, 2, 3, 4, 5, 8 })
        {
            var data = new ManyRows(DType.BF16, 17, 130, (stages * Warpgroup.Depth) - 24);
            IEnumerable<float> alone = data.Run(set, 16, 1).Cast<float>();
            Assert.That(data.Run(set, 0, 17).Cast<float>().TakeLast(130), Is.EqualTo(alone), $"{stages} stages");
            Assert.That(EmulatedBarriers.Finish(), Is.Null, $"{stages} stages");
        }
    }

    [Test]
    public void A_stage_that_is_announced_before_it_has_arrived_is_noticed() =>
        Assert.That(Wrong<TooEarly>(), Is.EqualTo("place 1 is announced, place 0 has arrived"));

    /// <summary>How far the others are when a stage is overwritten is chance; that nobody waited for what they gave back is not.</summary>
    [Test]
    public void A_stage_that_is_overwritten_before_it_is_done_with_is_noticed() =>
        Assert.That(Wrong<Unasked>(), Does.Match(
            @"^place \d is (overwritten by stage \d while it is read|read as stage \d before it has arrived)$|^barrier \d (is left with 256|waits for \d+ of \d+) arrivals"));

    /// <summary>By both groups, one after the other, of which the second completes what the first began.</summary>
    [Test]
    public void A_stage_that_is_given_back_to_nobody_is_noticed() => Assert.That(
        Wrong<Generous>(), Is.EqualTo($"barrier {WarpgroupRoles.Free(2)} is left with {(2 * WarpgroupRoles.Multipliers) - WarpgroupRoles.GroupSize} arrivals"));

    [Test]
    public void A_wait_for_what_does_not_come_ends_with_a_message()
    {
        TimeSpan before = EmulatedBarriers.Patience;
        EmulatedBarriers.Patience = TimeSpan.FromSeconds(1);
        try
        {
            Assert.That(Wrong<Silent>(), Does.Match(@"^barrier \d waits for 1\d\d of 256 arrivals that do not come$"));
        }
        finally
        {
            EmulatedBarriers.Patience = before;
        }
    }

    // What the emulation noticed in a projection of five stages. The set's threads end with it: what a wrong order leaves behind is theirs.
    private static string? Wrong<TOrder>()
        where TOrder : struct, IOrder
    {
        using CudaKernelSet set = Set<TOrder>();
        new ManyRows(DType.BF16, 17, 130, 640).Run(set, 0, 17);
        return EmulatedBarriers.Finish();
    }

    // Two tiles are enough for the emulation's one multiprocessor, so a group takes all segments. Nothing is compared.
    private static CudaKernelSet Set<TOrder>()
        where TOrder : struct, IOrder => WarpgroupTests.Emulated(
            WarpgroupChoice.Architecture, null, new() { Forms = [ManyRowsForm.Roles with { Kernel = _ => Kernel<TOrder>.Run }], TakesFastest = false, Shapes = [] });

    private interface IOrder
    {
        /// <summary>The number that a copier says its stage has: below the number of places it waits for nothing.</summary>
        static virtual int Number(int number) => number;

        /// <summary>The place that a copier announces.</summary>
        static virtual int Announced(int before, int place) => before;

        /// <summary>How many stages multipliers take the group to have when they give places back.</summary>
        static virtual int Count(int count) => count;

        /// <summary>How often the last stage is announced.</summary>
        static virtual int Last => 1;
    }

    private readonly struct InOrder : IOrder;

    private readonly struct TooEarly : IOrder
    {
        public static int Announced(int before, int place) => place;
    }

    private readonly struct Unasked : IOrder
    {
        public static int Number(int number) => 0;
    }

    private readonly struct Generous : IOrder
    {
        public static int Count(int count) => count + 1;
    }

    private readonly struct Silent : IOrder
    {
        public static int Last => 0;
    }

    /// <summary><see cref="SpecialisedLinearKernel{TFormat}"/> in another order.</summary>
    private static class Kernel<TOrder>
        where TOrder : struct, IOrder
    {
        public static void Run(TensorLinearArgs args)
        {
            ArrayView<Quad> memory = SharedMemory.GetDynamic<Quad>();
            LinearPart part = args.Part();
            LinearTile tile = LinearTile.Of(args, part);
            int depth = args.Depth, count = StageSource<TensorBFloat16>.Stages(depth), segment = part.SegmentBlocks * Fragments.Block / Warpgroup.Depth;
            int ring = (Warpgroup.SharedAddress(ref memory[0]) + Warpgroup.Alignment - 1) & -Warpgroup.Alignment, place = 0;
            if (Group.IdxX < WarpgroupRoles.Multipliers)
            {
                WarpgroupSums total = default;
                for (int number = 0; number < count; number += segment)
                {
                    total = WarpgroupSums.Add(total, TensorBFloat16.MultiplyStages(ring, number, Math.Min(number + segment, count), TOrder.Count(count)));
                }

                tile.End<WarpgroupSums, SerialForm>(args, part, total, memory);
                return;
            }

            WarpgroupRoles.BeginCopying();
            int share = Group.IdxX - WarpgroupRoles.Multipliers;
            StageCopies even = StageSource<TensorBFloat16>.Copies(args, part, tile, share), odd = StageSource<TensorBFloat16>.Copies(args, part, tile, share + Warpgroup.Size);
            StageStep piece = StageSource<TensorBFloat16>.Piece(share);
            for (int number = 0; number < count; number++)
            {
                int before = place;
                place = number % WarpgroupRoles.Stages;
                StageStep step = StageSource<TensorBFloat16>.Step(piece, ring + (place * Warpgroup.StageBytes), number, count, depth);
                WarpgroupRoles.Copy(even, odd, step, TOrder.Number(number), place);
                if (number > 0)
                {
                    WarpgroupRoles.Announce(TOrder.Announced(before, place));
                }
            }

            for (int last = 0; last < TOrder.Last; last++)
            {
                WarpgroupRoles.AnnounceLast(place);
            }
        }
    }
}
