using DeRa.Kernels;

namespace DeRa.Checkpoints.Configuration;

/// <summary>Hugging Face names of activations (transformers, activations.py, ACT2FN).</summary>
internal static class Activations
{
    /// <summary>Parses a name; an unknown one is refused.</summary>
    public static ActivationKind Parse(string name, string file, string field) => name switch
    {
        "silu" or "swish" => ActivationKind.Silu,
        "gelu" or "gelu_python" => ActivationKind.Gelu,

        // The same formula written out in Python, in C, with the constant √(2/π) rounded, or computed at higher precision.
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_python_tanh" or "gelu_accurate" => ActivationKind.GeluTanh,
        "quick_gelu" => ActivationKind.QuickGelu,
        "relu" => ActivationKind.Relu,
        "relu2" => ActivationKind.Relu2,
        "tanh" => ActivationKind.Tanh,
        "sigmoid" => ActivationKind.Sigmoid,
        _ => throw new CheckpointException(
            file, field, "silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, relu, relu2, tanh or sigmoid", $"'{name}'"),
    };
}
