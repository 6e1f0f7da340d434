namespace DeRa.Cli.Output;

/// <summary>A result file that is there whole or not at all: written beside its place and moved there when complete.</summary>
internal static class CompleteFile
{
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="write">Fills it; what it throws leaves the place as it was.</param>
    public static void Write(string path, Action<Stream> write)
    {
        string partial = path + ".part";
        try
        {
            using (FileStream file = File.Create(partial))
            {
                write(file);
            }

            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
