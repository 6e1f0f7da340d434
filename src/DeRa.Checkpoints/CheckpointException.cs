namespace DeRa.Checkpoints;

/// <summary>A checkpoint folder that cannot be used; the message names file, field, what was expected and what was found.</summary>
public sealed class CheckpointException : Exception
{
    /// <summary>Creates the exception with a message built from its facts.</summary>
    /// <param name="file">The file (or folder) at fault.</param>
    /// <param name="field">The field, tensor or header part at fault.</param>
    /// <param name="expected">What a usable checkpoint has there.</param>
    /// <param name="found">What this one has.</param>
    /// <param name="inner">The underlying failure, if any.</param>
    public CheckpointException(string file, string field, string expected, string found, Exception? inner = null)
        : base($"{file}: {Shorten(field)}: expected {expected}, found {Shorten(found)}", inner)
    {
        File = file;
        Field = Shorten(field);
        Expected = expected;
        Found = Shorten(found);
    }

    /// <summary>The file (or folder) at fault.</summary>
    public string File { get; }

    /// <summary>The field, tensor or header part at fault.</summary>
    public string Field { get; }

    /// <summary>What a usable checkpoint has there.</summary>
    public string Expected { get; }

    /// <summary>What this one has.</summary>
    public string Found { get; }

    // Hostile files may hold megabytes in one value; a message is one line.
    private static string Shorten(string text) => text.Length <= 200 ? text : string.Concat(text.AsSpan(0, 200), "…");
}
