namespace DeRa.Kernels;

/// <summary>Element-wise functions between the projections of an MLP, under the field's names (HF activations.py).</summary>
public enum ActivationKind
{
    /// <summary>x · sigmoid(x).</summary>
    Silu,

    /// <summary>x · Φ(x), by the error function.</summary>
    Gelu,

    /// <summary>0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 x³))).</summary>
    GeluTanh,

    /// <summary>x · sigmoid(1.702 x).</summary>
    QuickGelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>max(x, 0)².</summary>
    Relu2,

    /// <summary>tanh(x).</summary>
    Tanh,

    /// <summary>sigmoid(x).</summary>
    Sigmoid,
}
