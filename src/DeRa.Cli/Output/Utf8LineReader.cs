using DeRa.Evaluation;

namespace DeRa.Cli.Output;

/// <summary>A file's lines as strict UTF-8: another encoding is an error that names the line, where a plain reader puts replacement characters.</summary>
internal sealed class Utf8LineReader(string path) : TextReader
{
    private readonly IEnumerator<string> lines = Utf8Lines.Read(File.OpenRead(path), path).GetEnumerator();

    public override string? ReadLine() => lines.MoveNext() ? lines.Current : null;

    protected override void Dispose(bool disposing)
    {
        lines.Dispose();
        base.Dispose(disposing);
    }
}
