using System.Runtime.InteropServices;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// What <see cref="WarpgroupRoles"/> does in ILGPU's emulation. Products are computed as late as their wait allows, so that a stage that is overwritten too early shows;
/// and who fills or reads a place is noted, so that it is said and does not only show in results.
/// </summary>
internal static class EmulatedRoles
{
    private static readonly int[] Filling = new int[WarpgroupRoles.Stages], Reading = new int[WarpgroupRoles.Stages];

    // The places of this copier's stages that it has not awaited.
    [ThreadStatic]
    private static Queue<int>? begun;

    /// <summary>A copier has none on its way.</summary>
    public static void BeginCopying()
    {
        begun = new();
        Array.Clear(Filling);
        Array.Clear(Reading);
        EmulatedBarriers.Wait(0, Warpgroup.Size); // nobody copies before all have cleared
    }

    /// <summary>A stage's copies.</summary>
    public static void Copy(StageCopies even, StageCopies odd, StageStep step, int number, int place)
    {
        if (number >= WarpgroupRoles.Stages)
        {
            EmulatedBarriers.Wait(WarpgroupRoles.Free(place), WarpgroupRoles.GroupSize);
        }

        if (Volatile.Read(ref Reading[place]) > 0)
        {
            EmulatedBarriers.Fail($"place {place} is overwritten by stage {number} while it is read");
        }

        Interlocked.Increment(ref Filling[place]);
        begun!.Enqueue(place);
        EmulatedWarpgroup.Begin(even, step, 0);
        EmulatedWarpgroup.Begin(odd, step, 1);
        Memory16.Commit();
    }

    /// <summary>All stages but the newest so many have arrived, and the one at a place is announced.</summary>
    public static void Announce(int place, int left)
    {
        if (left == 0)
        {
            Memory16.WaitForAll();
        }
        else
        {
            Memory16.WaitForAllButOne();
        }

        int newest = -1;
        while (begun!.Count > left)
        {
            newest = begun.Dequeue();
            Interlocked.Decrement(ref Filling[newest]);
        }

        if (newest != place)
        {
            EmulatedBarriers.Fail($"place {place} is announced, place {newest} has arrived");
        }

        EmulatedBarriers.Arrive(WarpgroupRoles.Full(0, place), 2 * Warpgroup.Size);
        EmulatedBarriers.Arrive(WarpgroupRoles.Full(1, place), 2 * Warpgroup.Size);
    }

    /// <summary>Sums over stages.</summary>
    /// <param name="ring">Shared address of the first place.</param>
    /// <param name="from">First stage.</param>
    /// <param name="to">Behind the last stage.</param>
    /// <param name="count">All stages of the group.</param>
    /// <param name="element">A number by its bits.</param>
    /// <param name="round">What rounds the sum of sixteen products and what was there before.</param>
    public static WarpgroupSums Multiply(int ring, int from, int to, int count, Func<ushort, double> element, Func<double, float> round)
    {
        int warpgroup = Group.IdxX / Warpgroup.Size;
        WarpgroupSums sums = default;
        for (int number = from; number < to; number++)
        {
            int place = number % WarpgroupRoles.Stages;
            EmulatedBarriers.Wait(WarpgroupRoles.Full(warpgroup, place), 2 * Warpgroup.Size);
            Interlocked.Increment(ref Reading[place]);
            if (Volatile.Read(ref Filling[place]) > 0)
            {
                EmulatedBarriers.Fail($"place {place} is read as stage {number} before it has arrived");
            }

            if (number > from)
            {
                Await(number - 1);
            }
        }

        Await(to - 1);
        return EmulatedBarriers.HasFailed ? NotNumbers() : sums;

        void Await(int number)
        {
            int place = number % WarpgroupRoles.Stages, stage = ring + (place * Warpgroup.StageBytes);
            EmulatedWarpgroup.AddProducts(
                ref sums, Warpgroup.Descriptor(stage + (warpgroup * Warpgroup.Lines * Warpgroup.LineBytes)), Warpgroup.Descriptor(stage + (Warpgroup.StageBytes / 2)), element, round);
            Interlocked.Decrement(ref Reading[place]);
            if (number + WarpgroupRoles.Stages < count)
            {
                EmulatedBarriers.Arrive(WarpgroupRoles.Free(place), WarpgroupRoles.GroupSize);
            }
        }
    }

    private static WarpgroupSums NotNumbers()
    {
        WarpgroupSums sums = default;
        MemoryMarshal.Cast<WarpgroupSums, float>(new Span<WarpgroupSums>(ref sums)).Fill(float.NaN);
        return sums;
    }
}
