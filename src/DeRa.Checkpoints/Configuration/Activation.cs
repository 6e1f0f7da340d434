namespace DeRa.Checkpoints;

/// <summary>The MLP's nonlinearity.</summary>
public enum Activation
{
    /// <summary>x·σ(x).</summary>
    Silu,

    /// <summary>x·Φ(x), with the error function.</summary>
    Gelu,

    /// <summary>½x(1 + tanh(√(2/π)(x + 0.044715x³))).</summary>
    GeluTanh,

    /// <summary>x·σ(1.702x).</summary>
    QuickGelu,

    /// <summary>max(x, 0).</summary>
    Relu,
}

/// <summary>Hugging Face names of activations (transformers, activations.py, ACT2FN).</summary>
internal static class Activations
{
    /// <summary>Parses a name; an unknown one is refused.</summary>
    public static Activation Parse(string name, string file, string field) => name switch
    {
        "silu" or "swish" => Activation.Silu,
        "gelu" or "gelu_python" => Activation.Gelu,

        // The same formula written out in Python, in C, with the constant √(2/π) rounded, or computed at higher precision.
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_python_tanh" or "gelu_accurate" => Activation.GeluTanh,
        "quick_gelu" => Activation.QuickGelu,
        "relu" => Activation.Relu,
        _ => throw new CheckpointException(file, field, "silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu or relu", $"'{name}'"),
    };
}
