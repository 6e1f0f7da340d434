using System.Globalization;
using System.Text;
using DeRa.Cli.Commands;
using DeRa.Engine;
using Spectre.Console;

namespace DeRa.Cli.Output;

/// <summary>Shows one prompt at several λ next to each other; on a terminal the columns grow as tokens come.</summary>
internal sealed class SideBySide(RealignmentEngine engine, float[] lambdas)
{
    private const int NarrowestColumn = 18;

    private readonly IAnsiConsole console = Terminal.Out;

    public async Task ShowAsync(Prompt[] prompts, GenerationRequest[] requests, CancellationToken cancellationToken)
    {
        for (int i = 0; i < prompts.Length; i++)
        {
            console.MarkupLineInterpolated($"[bold]{prompts[i].Label}[/]");
            Column[] columns = [.. requests.AsSpan(i * lambdas.Length, lambdas.Length).ToArray().Select(request => new Column(request))];
            Task[] running = [.. columns.Select(column => FillAsync(column, cancellationToken))];
            if (Console.IsOutputRedirected)
            {
                await Task.WhenAll(running);
                Write(columns);
            }
            else
            {
                await console.Live(Render(columns)).AutoClear(true).StartAsync(async live =>
                {
                    Task all = Task.WhenAll(running);
                    while (await Task.WhenAny(all, Task.Delay(80, cancellationToken)) != all)
                    {
                        live.UpdateTarget(Render(columns));
                    }

                    await all;
                });
                Write(columns);
            }
        }
    }

    private void Write(Column[] columns)
    {
        console.Write(Render(columns));
        console.WriteLine();
    }

    /// <summary>As many columns as the width can hold; the rest goes below.</summary>
    private Rows Render(Column[] columns)
    {
        int perRow = Math.Clamp((console.Profile.Width - 1) / (NarrowestColumn + 3), 1, columns.Length);
        return new Rows(columns.Chunk(perRow).Select(Table));
    }

    private static Table Table(Column[] columns)
    {
        Table table = new Table().Border(TableBorder.Rounded).Expand();
        foreach (Column column in columns)
        {
            table.AddColumn(new TableColumn(new Text(string.Create(CultureInfo.InvariantCulture, $"λ = {column.Request.Lambda}"), new Style(decoration: Decoration.Bold))));
        }

        table.AddRow(columns.Select(column => new Text(column.Text)));
        table.AddRow(columns.Select(column => new Text(column.Figures, new Style(Color.Grey))));
        return table;
    }

    private async Task FillAsync(Column column, CancellationToken cancellationToken)
    {
        await foreach (TokenEvent token in engine.GenerateAsync(column.Request, cancellationToken))
        {
            column.Add(token);
        }
    }

    /// <summary>One λ's text so far; filled by one task, drawn by another.</summary>
    private sealed class Column(GenerationRequest request)
    {
        private readonly Lock gate = new();
        private readonly StringBuilder text = new();
        private int tokens;
        private double kl;

        public GenerationRequest Request { get; } = request;

        public string Text
        {
            get
            {
                lock (gate)
                {
                    return text.ToString();
                }
            }
        }

        public string Figures
        {
            get
            {
                lock (gate)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"{tokens} tokens, KL from reference {kl:F2}");
                }
            }
        }

        public void Add(TokenEvent token)
        {
            lock (gate)
            {
                text.Append(token.Text);
                tokens++;
                kl += token.KlReference ?? 0;
            }
        }
    }
}
