using DeRa.Evaluation;

namespace DeRa.Cli.Output;

/// <summary>Lines as strict UTF-8: another encoding is an error that names the line, where a plain reader puts replacement characters.</summary>
/// <param name="stream">The text; disposed of with the reader.</param>
/// <param name="name">What to call it in messages.</param>
internal sealed class Utf8LineReader(Stream stream, string name) : TextReader
{
    private readonly IEnumerator<string> lines = Utf8Lines.Read(stream, name).GetEnumerator();

    public override string? ReadLine() => lines.MoveNext() ? lines.Current : null;

    protected override void Dispose(bool disposing)
    {
        lines.Dispose();
        base.Dispose(disposing);
    }
}
