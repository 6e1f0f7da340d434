using System.Text;
using System.Text.Json;

namespace DeRa.Evaluation;

/// <summary>
/// results.jsonl as it grows: lines are appended in the plan's order and forced to the disk, so that whatever happens the file is a beginning of the
/// finished one, but for a last line that may be torn; that one is cut off when the file is opened again.
/// </summary>
public sealed class ResultLog : IDisposable
{
    private readonly FileStream file;

    private ResultLog(FileStream file, int count)
    {
        this.file = file;
        Count = count;
    }

    /// <summary>Whole lines in the file.</summary>
    public int Count { get; private set; }

    /// <summary>Opens or creates the file and checks that what it holds is a beginning of the plan.</summary>
    /// <param name="path">The file.</param>
    /// <param name="plan">What the sweep draws.</param>
    /// <param name="fingerprint">Hash of its settings.</param>
    /// <exception cref="EvaluationException">Lines of another sweep, a line that is none, or another process at work on it. The file is as it was.</exception>
    public static ResultLog Open(string path, SweepPlan plan, string fingerprint)
    {
        ArgumentNullException.ThrowIfNull(plan);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(path))
        {
            throw new EvaluationException($"{path}: another process is at work on it ({exception.Message})", exception);
        }

        try
        {
            (int count, long length) = Check(file, path, plan, fingerprint);
            file.SetLength(length);
            file.Seek(0, SeekOrigin.End);
            return new ResultLog(file, count);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The lines of a finished file.</summary>
    /// <exception cref="EvaluationException">A line that is no result.</exception>
    public static IEnumerable<ResultLine> Read(string path)
    {
        int number = 0;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        foreach (string line in Utf8Lines.Read(file, path))
        {
            number++;
            yield return TryParse(Encoding.UTF8.GetBytes(line)) ?? throw new EvaluationException($"{path}, line {number}: expected a result, found something else");
        }
    }

    /// <summary>Appends lines; when this returns they are on the disk.</summary>
    public void Append(IReadOnlyList<ResultLine> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var text = new StringBuilder();
        foreach (ResultLine line in lines)
        {
            text.Append(EvaluationJson.Line(line)).Append('\n');
        }

        file.Write(Encoding.UTF8.GetBytes(text.ToString()));
        file.Flush(flushToDisk: true);
        Count += lines.Count;
    }

    /// <inheritdoc />
    public void Dispose() => file.Dispose();

    private static (int Count, long Length) Check(FileStream file, string path, SweepPlan plan, string fingerprint)
    {
        using IEnumerator<SweepUnit> units = plan.ShardPrompts.SelectMany(plan.UnitsOf).GetEnumerator();
        int count = 0;
        long length = 0;
        foreach ((byte[] line, bool ended) in RawLines(file))
        {
            ResultLine? result = ended ? TryParse(line) : null;
            if (result is null)
            {
                // Only the last line can be torn; one with lines after it was damaged in another way, and is for a person to judge.
                return !ended || length + line.Length + 1 == file.Length
                    ? (count, length)
                    : throw new EvaluationException($"{path}, line {count + 1}: expected a result, found something else; to draw this and all later samples anew, cut the file before it");
            }

            if (!units.MoveNext() || result.Key != plan.Key(units.Current, fingerprint))
            {
                throw new EvaluationException($"{path}, line {count + 1}: it is of another sweep (prompt {result.PromptId}, λ = {result.Lambda}, sample {result.Sample}); give another --output");
            }

            count++;
            length += line.Length + 1;
        }

        return (count, length);
    }

    private static IEnumerable<(byte[] Line, bool Ended)> RawLines(FileStream file)
    {
        var input = new BufferedStream(file, 1 << 16);
        var line = new List<byte>();
        int next;
        while ((next = input.ReadByte()) >= 0)
        {
            if (next == '\n')
            {
                yield return ([.. line], true);
                line.Clear();
            }
            else
            {
                line.Add((byte)next);
            }
        }

        if (line.Count > 0)
        {
            yield return ([.. line], false);
        }
    }

    private static ResultLine? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            return EvaluationJson.Read<ResultLine>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
