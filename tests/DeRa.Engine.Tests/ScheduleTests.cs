namespace DeRa.Engine.Tests;

/// <summary>λ that changes from token to token.</summary>
public sealed class ScheduleTests
{
    private RealignmentEngine engine = null!;

    private static GenerationRequest Request => new() { PromptTokens = [5, 9, 2], MaxTokens = 10, StopTokens = [], Statistics = true, Sampling = new SamplingOptions { Seed = 3 } };

    [OneTimeSetUp]
    public async Task LoadAsync() => engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));

    [OneTimeTearDown]
    public async Task FreeAsync() => await engine.DisposeAsync();

    [Test]
    public async Task A_line_runs_from_one_value_to_the_other_and_stays() => Assert.That(
        (await engine.CompleteAsync(Request with { Lambda = LambdaSchedule.Linear(0, 1, over: 4) })).Events.Select(token => token.Lambda),
        Is.EqualTo((float[])[0, 0.25f, 0.5f, 0.75f, 1, 1, 1, 1, 1, 1]));

    [Test]
    public async Task Pieces_hold_until_the_next() => Assert.That(
        (await engine.CompleteAsync(Request with { Lambda = LambdaSchedule.Piecewise((0, 0.2f), (3, 1.5f), (7, 0)) })).Events.Select(token => token.Lambda),
        Is.EqualTo((float[])[0.2f, 0.2f, 0.2f, 1.5f, 1.5f, 1.5f, 1.5f, 0, 0, 0]));

    [Test]
    public async Task A_schedule_that_does_not_change_gives_what_the_number_gives()
    {
        GenerationResult number = await engine.CompleteAsync(Request with { Lambda = 0.4f });
        GenerationResult line = await engine.CompleteAsync(Request with { Lambda = LambdaSchedule.Linear(0.4f, 0.4f, over: 3) });
        GenerationResult function = await engine.CompleteAsync(Request with { Lambda = LambdaSchedule.Callback(_ => 0.4f) });
        Assert.That(line.LogProb, Is.EqualTo(number.LogProb));
        Assert.That(function.Tokens, Is.EqualTo(number.Tokens));
        Assert.That(function.KlReference, Is.EqualTo(number.KlReference));
    }

    [Test]
    public async Task A_function_sees_position_and_divergence_and_can_spend_a_budget()
    {
        var seen = new List<LambdaPosition>();
        GenerationResult result = await engine.CompleteAsync(Request with
        {
            Statistics = false,
            Lambda = LambdaSchedule.Callback(at =>
            {
                seen.Add(at);
                return at.KlReference < 0.5 ? 2 : 0;
            }),
        });
        Assert.That(seen.Select(at => at.Index), Is.EqualTo(Enumerable.Range(0, 10)), "once per token");
        Assert.That(seen[0].KlReference, Is.Zero);
        double kl = 0;
        for (int i = 0; i < 10; i++)
        {
            Assert.That(seen[i].KlReference, Is.EqualTo(kl).Within(1e-9));
            Assert.That(result.Events[i].Lambda, Is.EqualTo(kl < 0.5 ? 2 : 0));
            kl += result.Events[i].KlReference!.Value;
        }

        Assert.That(result.Events[^1].Lambda, Is.Zero, "the pair is far enough apart to spend it");
    }

    [Test]
    public async Task A_function_that_fails_ends_its_own_request_only()
    {
        Task<GenerationResult> other = engine.CompleteAsync(Request with { Lambda = 0.5f });
        await FailsAsync(at => at.Index == 0 ? throw new InvalidOperationException("no value") : 1, "no value");
        await FailsAsync(at => at.Index < 4 ? 1 : throw new InvalidOperationException("no more"), "token 4");
        await FailsAsync(at => at.Index < 2 ? 1 : float.NaN, "finite");
        Assert.That((await other).Tokens, Has.Count.EqualTo(10));
        Assert.That(() => LambdaSchedule.Piecewise((1, 0)), Throws.ArgumentException);
        Assert.That(() => LambdaSchedule.Piecewise(), Throws.ArgumentException);
        Assert.That(() => LambdaSchedule.Linear(0, 1, over: 0), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => engine.GenerateAsync(Request with { Lambda = LambdaSchedule.Linear(0, float.PositiveInfinity, 3) }), Throws.TypeOf<RequestException>());

        async Task FailsAsync(Func<LambdaPosition, float> lambda, string named)
        {
            RequestException? failure = await Assert.ThrowsAsync<RequestException>(async () => await engine.CompleteAsync(Request with { Lambda = LambdaSchedule.Callback(lambda) }));
            Assert.That(failure!.Message, Does.Contain(named));
        }
    }
}
