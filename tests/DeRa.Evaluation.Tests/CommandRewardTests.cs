namespace DeRa.Evaluation.Tests;

/// <summary>Programs as rewards: those that answer, and those that die, chatter, or hang.</summary>
[Platform(Include = "Unix", Reason = "the programs are shell scripts")]
public sealed class CommandRewardTests
{
    private static RewardSample[] Samples(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new RewardSample
        {
            PromptId = $"p{i}",
            Prompt = "a \"quoted\" prompt",
            PromptTokens = [1, 2],
            Response = $"line one\nline two {new string('x', i % 700)}",
            ResponseTokens = [3],
            Lambda = 0.5f,
            Sample = i,
        }),
    ];

    private static async Task<IReadOnlyList<double>> AskAsync(string command, int samples = 3, double seconds = 20)
    {
        await using var reward = new CommandReward(command, TimeSpan.FromSeconds(seconds));
        return await reward.ScoreAsync(Samples(samples), CancellationToken.None);
    }

    [Test]
    public async Task Every_line_is_answered_in_order() =>
        Assert.That(await AskAsync("n=0; while read -r line; do echo \"{\\\"reward\\\": $n}\"; n=$((n+1)); done", samples: 2000), Is.EqualTo(Enumerable.Range(0, 2000)));

    [Test]
    public async Task A_bare_number_will_do() => Assert.That(await AskAsync("while read -r line; do echo -1.5e1; done"), Is.All.EqualTo(-15));

    [Test]
    public async Task The_program_is_started_once()
    {
        await using var reward = new CommandReward("n=0; while read -r line; do echo $n; n=$((n+1)); done", TimeSpan.FromSeconds(20));
        await reward.ScoreAsync(Samples(3), CancellationToken.None);
        Assert.That(await reward.ScoreAsync(Samples(2), CancellationToken.None), Is.EqualTo(new[] { 3, 4 }));
    }

    [Test]
    public async Task The_program_sees_the_sample()
    {
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.jsonl");
        await AskAsync($"while read -r line; do printf '%s\\n' \"$line\" >> {file}; echo 0; done", samples: 1);
        System.Text.Json.JsonElement seen = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(file)).RootElement;
        Assert.That(seen.GetProperty("prompt").GetString(), Is.EqualTo("a \"quoted\" prompt"));
        Assert.That(seen.GetProperty("response").GetString(), Is.EqualTo("line one\nline two "));
        Assert.That(seen.GetProperty("lambda").GetDouble(), Is.EqualTo(0.5));
    }

    [TestCase("exit 3", "exit code 3")]
    [TestCase("echo broken >&2; exit 1", "broken")]
    [TestCase("read -r line; echo 1; exit 0", "exit code 0")]
    [TestCase("while read -r line; do echo Loading model; done", "Loading model")]
    [TestCase("while read -r line; do echo '{\"reward\": \"good\"}'; done", "\"good\"")]
    [TestCase("while read -r line; do echo 1e999; done", "1e999")]
    [TestCase("while read -r line; do echo '{\"error\": \"out of memory\"}'; done", "out of memory")]
    [TestCase("no_such_program_of_ours", "exit code 127")]
    public void What_goes_wrong_is_said_with_the_command_and_the_sample(string command, string said) =>
        Assert.That(async () => await AskAsync(command), Throws.TypeOf<RewardException>().With.Message.Contains(said).And.Message.Contains("prompt p").And.Message.Contains(command));

    [Test]
    public void A_program_that_hangs_is_given_up() =>
        Assert.That(async () => await AskAsync("sleep 300", seconds: 0.3), Throws.TypeOf<RewardException>().With.Message.Contains("0.3 s"));

    [Test]
    public async Task After_a_failure_nothing_is_asked_any_more()
    {
        await using var reward = new CommandReward("read -r line; echo nonsense; while read -r line; do echo 1; done", TimeSpan.FromSeconds(20));
        Assert.That(async () => await reward.ScoreAsync(Samples(1), CancellationToken.None), Throws.TypeOf<RewardException>());
        Assert.That(async () => await reward.ScoreAsync(Samples(1), CancellationToken.None), Throws.TypeOf<RewardException>().With.Message.Contains("nonsense"));
    }

    [Test]
    public void A_wait_can_be_cancelled()
    {
        using var stop = new CancellationTokenSource(200);
        Assert.That(
            async () =>
            {
                await using var reward = new CommandReward("sleep 300", TimeSpan.FromSeconds(100));
                await reward.ScoreAsync(Samples(1), stop.Token);
            },
            Throws.InstanceOf<OperationCanceledException>());
    }
}
