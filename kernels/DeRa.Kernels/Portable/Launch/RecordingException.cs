namespace DeRa.Kernels.Portable;

/// <summary>A step cannot be recorded: the driver refuses, or something in it cannot be repeated. Nothing of it has run.</summary>
internal sealed class RecordingException(string message) : Exception(message);
