namespace DeRa.Evaluation;

/// <summary>The report's style sheet: light and dark by the reader's setting, from narrow phones to wide screens.</summary>
internal static class ReportStyle
{
    public const string Css =
        """
        :root { color-scheme: light dark; --back: #fbfbfa; --card: #ffffff; --text: #1d2025; --soft: #646b75; --line: #e1e4e8; --grid: #eceef1;
          --a: #1f6fb8; --b: #b5541c; --c: #2a8a57; --d: #7a4fb3; --mark: #c2185b; --warn-back: #fff6e3; --warn: #6d4c00; --pick-back: #eaf4fd; }
        @media (prefers-color-scheme: dark) { :root { --back: #131519; --card: #1b1e23; --text: #e6e8eb; --soft: #9da5b0; --line: #32373f; --grid: #282c33;
          --a: #6cb2ee; --b: #f0a06a; --c: #63c793; --d: #b795ea; --mark: #ff7fae; --warn-back: #33290f; --warn: #f3d48a; --pick-back: #16293a; } }
        * { box-sizing: border-box; }
        body { background: var(--back); color: var(--text); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; }
        h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.25rem; margin: 2.6rem 0 .8rem; overflow-wrap: anywhere; } h3 { font-size: .95rem; margin: 0 0 .4rem; }
        p { margin: .4rem 0; max-width: 62rem; } .soft, figcaption { color: var(--soft); } figcaption { font-size: 13px; }
        .pick, .warn { border-radius: 10px; padding: .9rem 1.1rem; margin: .8rem 0; }
        .pick { background: var(--pick-back); border-left: 5px solid var(--a); } .pick strong { font-size: 1.25rem; display: block; }
        .warn { background: var(--warn-back); color: var(--warn); border-left: 5px solid currentColor; }
        .plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); } .plots.three { grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); }
        figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0; padding: .8rem; min-width: 0; }
        svg { display: block; width: 100%; height: auto; } svg.a { --series: var(--a); } svg.b { --series: var(--b); } svg.c { --series: var(--c); } svg.d { --series: var(--d); }
        svg text { fill: var(--soft); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; } svg .title { fill: var(--text); } svg .name { fill: var(--text); font-weight: 600; }
        svg .grid { stroke: var(--grid); } svg .level { stroke: var(--soft); stroke-dasharray: 4 4; } svg path { fill: none; }
        svg .line { stroke: var(--series); stroke-width: 2; stroke-linejoin: round; } svg .band { fill: var(--series); opacity: .16; stroke: none; }
        svg .bar { stroke: var(--series); stroke-width: 1.3; opacity: .75; } svg .dot { fill: var(--series); } svg .ring { fill: none; stroke: var(--mark); stroke-width: 2.5; }
        .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
        table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; width: 100%; }
        th, td { border-bottom: 1px solid var(--line); padding: .38rem .7rem; text-align: right; white-space: nowrap; } tr:last-child td { border-bottom: 0; } td .soft { display: block; font-size: 12px; font-weight: 400; }
        th { color: var(--soft); font-weight: 600; } tr.chosen td { background: var(--pick-back); font-weight: 600; }
        .samples { display: flex; gap: .8rem; overflow-x: auto; padding-bottom: .5rem; scroll-snap-type: x proximity; }
        .sample { background: var(--card); border: 1px solid var(--line); border-radius: 10px; flex: 1 0 min(78vw, 240px); padding: .7rem .85rem; scroll-snap-align: start; }
        .sample.chosen { border-color: var(--mark); } .sample b { display: block; } .sample p { white-space: pre-wrap; overflow-wrap: anywhere; }
        details { margin: .6rem 0; } summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; }
        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; font-size: 13.5px; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
        code { font: 12.5px ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
        @media (max-width: 480px) { body { padding: 1rem .7rem 3rem; } h1 { font-size: 1.4rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
        """;
}
