namespace DeRa.Tokenization.ChatTemplates;

/// <summary>One message of a conversation in its simplest form.</summary>
/// <param name="Role">Who speaks, such as <c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatMessage(string Role, string Content);
