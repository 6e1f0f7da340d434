using System.Diagnostics;
using System.Text;

namespace DeRa.Cli.Output;

/// <summary>
/// A file of lines that is there whole or not at all, and whose writing can be interrupted: lines go to FILE.part, and the same work goes on from
/// there. Devices, pipes and links are written in place, from the beginning.
/// </summary>
internal sealed class ResumableFile : IDisposable
{
    private static readonly TimeSpan BetweenFlushes = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly bool inPlace;
    private readonly FileStream file;
    private readonly Stopwatch sinceFlush = Stopwatch.StartNew();

    private ResumableFile(string path, bool inPlace, FileStream file, IReadOnlyList<string> lines)
    {
        (this.path, this.inPlace, this.file, Lines) = (path, inPlace, file, lines);
    }

    /// <summary>Whole lines that an interrupted run of the same work left.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>Opens the file.</summary>
    /// <param name="path">Where it is to be.</param>
    /// <param name="fingerprint">Of the work; what another one left is dropped.</param>
    public static ResumableFile Open(string path, string fingerprint)
    {
        CompleteFile.RequirePlace(path);
        if (CompleteFile.IsWrittenInPlace(path))
        {
            return new ResumableFile(path, inPlace: true, File.Create(path), []);
        }

        string partial = Partial(path), key = Key(path);
        bool same = File.Exists(partial) && File.Exists(key) && File.ReadAllText(key) == fingerprint;
        if (!same)
        {
            File.Delete(partial);
            File.WriteAllText(key, fingerprint);
        }

        var file = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        string[] lines = WholeLines(file);
        return new ResumableFile(path, inPlace: false, file, lines);
    }

    /// <summary>Appends a line; at the latest after a second lines are forced to the disk.</summary>
    public void Append(string line)
    {
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        if (!inPlace && sinceFlush.Elapsed > BetweenFlushes)
        {
            file.Flush(flushToDisk: true);
            sinceFlush.Restart();
        }
    }

    /// <summary>Puts the file in its place.</summary>
    public void Complete()
    {
        file.Dispose();
        if (!inPlace)
        {
            File.Move(Partial(path), path, overwrite: true);
            File.Delete(Key(path));
        }
    }

    /// <summary>Closes what is written so far and leaves it for the next run.</summary>
    public void Dispose() => file.Dispose();

    private static string Partial(string path) => path + ".part";

    private static string Key(string path) => path + ".part.key";

    /// <summary>Reads whole lines and cuts a torn last one off.</summary>
    private static string[] WholeLines(FileStream file)
    {
        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        int end = Array.LastIndexOf(content, (byte)'\n') + 1;
        file.SetLength(end);
        file.Seek(0, SeekOrigin.End);
        return Encoding.UTF8.GetString(content, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
