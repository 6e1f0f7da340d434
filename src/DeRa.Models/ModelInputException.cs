namespace DeRa.Models;

/// <summary>A token or position that the model does not have; the message names it and the bound.</summary>
public sealed class ModelInputException(string message) : Exception(message);
