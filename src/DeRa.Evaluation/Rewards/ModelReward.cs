using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using DeRa.Kernels;
using DeRa.Models;
using DeRa.Tokenization;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Evaluation;

/// <summary>
/// A reward model: a checkpoint with a scalar head (score.weight, [1, hidden]), run by the engine's own kernels on a thread and a kernel set of its own.
/// </summary>
/// <remarks>
/// A conversation and its response are rendered with the reward model's chat template; any other prompt is followed by its response as plain text. Where
/// the reward model has no tokenizer or no template of its own, it judges the pair's token ids, which requires that it has the pair's vocabulary.
/// </remarks>
public sealed class ModelReward : IReward
{
    private readonly string folder;
    private readonly Tokenizer? tokenizer, pairTokenizer;
    private readonly ModelChatTemplate? template;
    private readonly Channel<Work> work = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ModelReward(string folder, Tokenizer? tokenizer, Tokenizer? pairTokenizer, ModelChatTemplate? template, string hash)
    {
        this.folder = folder;
        this.tokenizer = tokenizer;
        this.pairTokenizer = pairTokenizer;
        this.template = template;
        ContentHash = hash;
    }

    /// <inheritdoc />
    public string Name => "model:" + folder;

    /// <inheritdoc />
    public string? ContentHash { get; }

    /// <summary>Loads a reward model.</summary>
    /// <param name="folder">Its checkpoint folder.</param>
    /// <param name="pairTokenizer">The pair's tokenizer, whose ids the reward model takes where it has none of its own; null where the pair has none either.</param>
    /// <param name="device">auto, cpu, opencl[:i] or cuda[:i].</param>
    /// <exception cref="EvaluationException">No such folder.</exception>
    /// <exception cref="DeRa.Checkpoints.CheckpointException">A checkpoint that cannot be used, among them one without a scalar head.</exception>
    /// <exception cref="TokenizerException">A tokenizer that cannot be used.</exception>
    /// <exception cref="DeviceException">The device is missing or too small.</exception>
    public static async Task<ModelReward> LoadAsync(string folder, Tokenizer? pairTokenizer, string device)
    {
        if (!Directory.Exists(folder))
        {
            throw new EvaluationException($"reward model:{folder}: expected a checkpoint folder, found {(File.Exists(folder) ? "a file" : "nothing")}");
        }

        Tokenizer? own = DeRa.Engine.PairText.Load(folder, folder).Tokenizer;
        var reward = new ModelReward(
            folder, own, pairTokenizer, own is null ? null : ModelChatTemplate.LoadIfPresent(folder), HashedFile.Together(HashedFile.OfCheckpoint("reward", folder)));
        new Thread(() => reward.Serve(device)) { IsBackground = true, Name = "DeRa reward model" }.Start();
        try
        {
            await reward.loaded.Task.ConfigureAwait(false);
        }
        catch
        {
            await reward.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return reward;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<RewardSample> samples, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var one = new Work([.. samples.Select(Tokens)], new TaskCompletionSource<float[]>(TaskCreationOptions.RunContinuationsAsynchronously));
        ObjectDisposedException.ThrowIf(!work.Writer.TryWrite(one), this);
        float[] scores = await one.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return [.. scores.Select(score => (double)score)];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        work.Writer.TryComplete();
        await stopped.Task.ConfigureAwait(false);
    }

    /// <summary>What the reward model reads of a sample.</summary>
    private int[] Tokens(RewardSample sample)
    {
        try
        {
            if (tokenizer is not null && sample.Messages is { } messages && template is not null)
            {
                string conversation = template.Render(new ChatTemplateInput(WithResponse(messages, sample.Response)));
                return tokenizer.Encode(conversation, addSpecialTokens: false);
            }

            if (tokenizer is not null && sample.Messages is null && sample.Prompt.Length > 0)
            {
                return tokenizer.Encode(sample.Prompt + sample.Response);
            }

            if (tokenizer is not null && pairTokenizer is not null)
            {
                PairCheck.Compare(pairTokenizer.Vocabulary, tokenizer.Vocabulary, int.MaxValue);
            }
        }
        catch (Exception exception) when (exception is ChatTemplateException or TokenizerException or PairMismatchException)
        {
            throw new RewardException($"reward {Name}, prompt {sample.PromptId}: {exception.Message}", exception);
        }

        return [.. sample.PromptTokens, .. sample.ResponseTokens];
    }

    private static JsonArray WithResponse(JsonElement messages, string response)
    {
        JsonArray conversation = JsonNode.Parse(messages.GetRawText())!.AsArray();
        conversation.Add(new JsonObject { ["role"] = "assistant", ["content"] = response });
        return conversation;
    }

    /// <summary>The reward model's thread: everything that touches its device happens here.</summary>
    private void Serve(string device)
    {
        try
        {
            using KernelSet kernels = DeviceCatalog.Open(device, log: null);
            using SequenceClassifier model = SequenceClassifier.Load(folder, kernels);
            loaded.SetResult();
            while (work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (work.Reader.TryRead(out Work one))
                {
                    Run(model, one);
                }
            }
        }
        catch (Exception exception)
        {
            loaded.TrySetException(exception);
        }
        finally
        {
            work.Writer.TryComplete();
            while (work.Reader.TryRead(out Work one))
            {
                one.Done.TrySetException(new RewardException($"reward {Name}: its device has stopped"));
            }

            stopped.SetResult();
        }
    }

    private void Run(SequenceClassifier model, Work one)
    {
        try
        {
            one.Done.SetResult(model.Score(one.Texts));
        }
        catch (ModelInputException exception)
        {
            one.Done.SetException(new RewardException($"reward {Name}: {exception.Message}", exception));
        }
        catch (Exception exception)
        {
            one.Done.SetException(exception);
            throw;
        }
    }

    private readonly record struct Work(int[][] Texts, TaskCompletionSource<float[]> Done);
}
