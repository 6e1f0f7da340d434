using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;

namespace DeRa.Cli.Commands;

/// <summary>Scores lines and writes one line for each, in order; hands figures to a summary where one is wanted.</summary>
internal sealed class ScoreRun(RealignmentEngine engine, ScoreAnalysis? analysis)
{
    /// <summary>Takes lines that an earlier run wrote into the summary.</summary>
    /// <returns>How many there are.</returns>
    public int Resume(ScoreLine[] lines, IReadOnlyList<string> written)
    {
        for (int i = 0; i < written.Count; i++)
        {
            if (lines[i].Rejected is null)
            {
                analysis?.AddText(Json.Read<ScoredLine>(written[i]).Figures());
            }
            else if (analysis is not null)
            {
                ScoredPair scored = Json.Read<ScoredPair>(written[i]);
                analysis.AddPair(scored.Chosen.Figures(), scored.Rejected.Figures());
            }
        }

        return written.Count;
    }

    public async Task WriteAsync(ScoreLine[] lines, Action<string> write, CancellationToken cancellationToken)
    {
        int next = 0;
        ScoredLine? chosen = null;
        await foreach (IReadOnlyList<LambdaScore> scores in new Scorer(engine).ScoreAsync(lines.SelectMany(line => line.Requests), cancellationToken))
        {
            ScoreLine line = lines[next];
            if (line.Rejected is null)
            {
                ScoredLine scored = ScoredLine.Of(line.Id, line.Request, scores);
                analysis?.AddText(scored.Figures());
                write(Json.Line(scored));
                next++;
            }
            else if (chosen is null)
            {
                chosen = ScoredLine.Of(null, line.Request, scores);
            }
            else
            {
                ScoredLine rejected = ScoredLine.Of(null, line.Rejected, scores);
                analysis?.AddPair(chosen.Figures(), rejected.Figures());
                write(Json.Line(ScoredPair.Of(line.Id, chosen, rejected)));
                chosen = null;
                next++;
            }
        }
    }
}
