using ILGPU.Frontend;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A group of three warpgroups with roles: the first two multiply, 64 lines each, and the third copies for them, through a ring of <see cref="Stages"/> stages as
/// <see cref="Warpgroup"/> has them. Stage number n of a group, counted from 0, is at place n modulo the stages.
/// </summary>
/// <remarks>
/// They meet at the named barriers of the hardware, so nothing waits for memory to change. A place has one barrier for each multiplying warpgroup, at which the copying
/// one arrives when the stage is full and the multiplying one waits for it; and one at which all multipliers arrive when they are done with the stage and the copying one
/// waits for them before it overwrites it. The last stages, which nothing overwrites, are not given back: so every arrival has its wait, for any number of stages.
/// The roles are two arms of one branch, uniform over a warpgroup, and each ends the kernel.
/// </remarks>
internal static partial class WarpgroupRoles
{
    /// <summary>Work-items that multiply.</summary>
    public const int Multipliers = 2 * Warpgroup.Size;

    /// <summary>Work-items of a group.</summary>
    public const int GroupSize = Multipliers + Warpgroup.Size;

    /// <summary>Stages of the ring.</summary>
    public const int Stages = 3;

    /// <summary>
    /// Registers that a work-item of a group begins with: of 65,536 as many as 384 work-items can have, in eights. A group whose kernel was given fewer would wait for
    /// ever for those that its multipliers ask for, so <see cref="Portable.KernelNeeds"/> looks.
    /// </summary>
    public const int Registers = 168;

    /// <summary>Registers that a copying work-item keeps. What it gives back is what the multipliers get.</summary>
    public const int CopierRegisters = 88;

    /// <summary>Registers of a multiplying work-item.</summary>
    public const int MultiplierRegisters = Registers + (Registers - CopierRegisters) / 2;

    // Named barriers; 0 is that of all work-items. A place's are as many apart as there are stages.
    private const int FirstFull = 1, FirstFree = FirstFull + 2 * Stages, Meeting = FirstFree + Stages;

    /// <summary>Gives registers back (setmaxnreg); called by the whole copying warpgroup, first.</summary>
    [IntrinsicImplementation, External("rolesBeginCopying")]
    public static void BeginCopying() => EmulatedRoles.BeginCopying();

    /// <summary>Takes them (setmaxnreg); called by the whole of each multiplying warpgroup, first.</summary>
    [IntrinsicImplementation, External("rolesBeginMultiplying")]
    public static void BeginMultiplying()
    {
    }

    /// <summary>Begins a stage's copies, once what was at its place is done with.</summary>
    /// <param name="even">Where a copier copies from: a share of 256.</param>
    /// <param name="odd">The share 128 after it, whose lines and rows are half as far on as the next piece's.</param>
    /// <param name="step">The stage, and the first share's places in it.</param>
    /// <param name="number">Which of the group's stages.</param>
    /// <param name="place">Its place in the ring.</param>
    [IntrinsicImplementation, External("rolesCopy")]
    public static void Copy(StageCopies even, StageCopies odd, StageStep step, int number, int place) => EmulatedRoles.Copy(even, odd, step, number, place);

    /// <summary>Waits for all of this copier's stages but the newest, shows them to the tensor cores and says that the one at this place, the last before the newest, is full.</summary>
    [IntrinsicImplementation, External("rolesAnnounce")]
    public static void Announce(int place) => EmulatedRoles.Announce(place, 1);

    /// <summary>The same of the newest, after which none follows.</summary>
    [IntrinsicImplementation, External("rolesAnnounceLast")]
    public static void AnnounceLast(int place) => EmulatedRoles.Announce(place, 0);

    /// <summary>A barrier of the multipliers, over shared and device memory.</summary>
    [IntrinsicImplementation, External("rolesMeet")]
    public static void Meet() => EmulatedBarriers.Wait(Meeting, Multipliers);

    /// <summary>
    /// Sums of bfloat16 over stages, from 0. The next stage's products are begun before those of the one before are awaited, so that the tensor cores have work
    /// while a place is given back and the next stage is waited for.
    /// </summary>
    /// <param name="ring">Shared address of the first place.</param>
    /// <param name="from">First stage.</param>
    /// <param name="to">Behind the last stage; at least one more than the first.</param>
    /// <param name="count">All stages of the group.</param>
    [IntrinsicImplementation, External("rolesBFloat16")]
    public static WarpgroupSums BFloat16(int ring, int from, int to, int count) =>
        EmulatedRoles.Multiply(ring, from, to, count, TensorCore.BFloat16Element, EmulatedWarpgroup.Exact);

    /// <summary>The same of binary16.</summary>
    [IntrinsicImplementation, External("rolesFloat16")]
    public static WarpgroupSums Float16(int ring, int from, int to, int count) =>
        EmulatedRoles.Multiply(ring, from, to, count, TensorCore.Float16Element, EmulatedWarpgroup.Exact);

    /// <summary>The barrier at which a warpgroup waits for the stage at a place.</summary>
    public static int Full(int warpgroup, int place) => FirstFull + (warpgroup * Stages) + place;

    /// <summary>The barrier at which the copiers wait until the stage at a place is done with.</summary>
    public static int Free(int place) => FirstFree + place;
}
