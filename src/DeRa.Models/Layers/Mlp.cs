using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>The feed-forward sublayer.</summary>
internal abstract class Mlp
{
    /// <summary>y = mlp(x), or y += … when <paramref name="accumulate"/>; both [tokens, hidden].</summary>
    public abstract void Enqueue(in Step step, Matrix x, Matrix y, bool accumulate);
}

/// <summary>down(activation(gate(x)) · up(x)) (arXiv 2002.05202).</summary>
/// <param name="gate">[intermediate, hidden].</param>
/// <param name="up">[intermediate, hidden].</param>
/// <param name="down">[hidden, intermediate].</param>
/// <param name="activation">Applied to the gate.</param>
internal sealed class GatedMlp(Projection gate, Projection up, Projection down, ActivationKind activation) : Mlp
{
    /// <inheritdoc />
    public override void Enqueue(in Step step, Matrix x, Matrix y, bool accumulate)
    {
        Matrix gateUp = step.Activations.GateUp;             // [tokens, 2 · intermediate]
        Matrix intermediate = step.Activations.Intermediate; // [tokens, intermediate]

        step.Ops.GatedLinear(x, gate.Weight, gate.Bias, up.Weight, up.Bias, activation, gateUp, intermediate);
        down.Enqueue(step.Ops, intermediate, y, accumulate);
    }
}

/// <summary>down(activation(up(x))).</summary>
internal sealed class PlainMlp(Projection up, Projection down, ActivationKind activation) : Mlp
{
    /// <inheritdoc />
    public override void Enqueue(in Step step, Matrix x, Matrix y, bool accumulate)
    {
        Matrix intermediate = step.Activations.Intermediate; // [tokens, intermediate]
        up.Enqueue(step.Ops, x, intermediate);
        step.Ops.Activation(intermediate, activation);
        down.Enqueue(step.Ops, intermediate, y, accumulate);
    }
}
