using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeRa.Cli.Output;

/// <summary>Standard output for people: as wide as the terminal, or a fixed width and no escape codes when redirected.</summary>
internal static class Terminal
{
    private const int WidthWhenRedirected = 120;

    public static IAnsiConsole Out => OutOfWidth(WidthWhenRedirected);

    public static void Write(IRenderable renderable) => Out.Write(renderable);

    /// <summary>As <see cref="Write(IRenderable)"/>, with another width when redirected: for tables whose columns do not wrap.</summary>
    public static void Write(IRenderable renderable, int widthWhenRedirected) => OutOfWidth(widthWhenRedirected).Write(renderable);

    private static IAnsiConsole OutOfWidth(int widthWhenRedirected) => Console.IsOutputRedirected
        ? AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new FixedWidthOutput(Console.Out, widthWhenRedirected) })
        : AnsiConsole.Console;

    private sealed class FixedWidthOutput(TextWriter writer, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => false;

        public int Width => width;

        public int Height => 80;

        public void SetEncoding(Encoding encoding)
        {
            // The writer's encoding was set when the program started.
        }
    }
}
