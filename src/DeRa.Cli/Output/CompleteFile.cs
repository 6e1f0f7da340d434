using DeRa.Cli.CommandLine;

namespace DeRa.Cli.Output;

/// <summary>
/// A result file that is there whole or not at all: written beside its place and moved there when complete. Devices, pipes and links are written
/// in place: a file moved to where they are would destroy them, /dev/null for everybody on the machine.
/// </summary>
internal static class CompleteFile
{
    /// <inheritdoc cref="WriteAsync"/>
    public static void Write(string path, Action<Stream> write) => WriteAsync(path, stream =>
    {
        write(stream);
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="write">Fills it; what it throws leaves the place as it was.</param>
    /// <exception cref="InputException">The path is a folder, or in none.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        RequirePlace(path);
        if (IsWrittenInPlace(path))
        {
            await using FileStream place = File.Create(path);
            await write(place);
            return;
        }

        string partial = path + ".part";
        try
        {
            await using (FileStream file = File.Create(partial))
            {
                await write(file);
            }

            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Requires that a file can be at the path, so that a command can say so before it starts working.</summary>
    public static void RequirePlace(string path)
    {
        if (Directory.Exists(path))
        {
            throw new InputException($"{path}: expected a file to write, found a folder");
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
        {
            throw new InputException($"{path}: expected a file in an existing folder, found no such folder");
        }
    }

    /// <summary>Whether the path is a device, a pipe or a link. They have no length; an empty ordinary file is taken for one and has nothing to lose.</summary>
    public static bool IsWrittenInPlace(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is not null || (file.Exists && file.Length == 0);
    }
}
