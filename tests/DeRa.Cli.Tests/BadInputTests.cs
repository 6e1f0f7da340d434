namespace DeRa.Cli.Tests;

/// <summary>What is wrong on the command line or in a file ends in one line that names it, and exit code 2.</summary>
[NonParallelizable]
public sealed class BadInputTests
{
    private static readonly string Model = Path.Combine(Golden.Models, "llama_basic", "ref");

    private static string[] Generate(params string[] more) =>
        ["generate", "--device", "cpu", "--reference", Model, "--aligned", Path.Combine(Golden.Models, "llama_basic", "aligned"), .. more];

    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("an unknown command", ["generat"], "", "dera: Unrecognized command or argument 'generat'.\ndera: see");
        yield return Case("an unknown flag", Generate("--tokens", "1", "--lamda", "1"), "", "--lamda");
        yield return Case("no prompt", Generate(), "", "--prompt");
        yield return Case("two prompts", Generate("--prompt", "a", "--tokens", "1"), "", "--prompt");
        yield return Case("half a pair", ["generate", "--reference", Model, "--tokens", "1"], "", "--aligned");
        yield return Case("a folder that is not there", ["logits", "--model", "no/such/folder", "--tokens", "1", "--out", "x"], "", "no/such/folder");
        yield return Case("a lambda that is no number", Generate("--tokens", "1", "--lambda", "0,x"), "", "'x'");
        yield return Case("an endless range of lambdas", Generate("--tokens", "1", "--lambda", "0:1:0"), "", "0:1:0");
        yield return Case("a token that is no number", Generate("--tokens", "1,b"), "", "'b'");
        yield return Case("a token outside the vocabulary", Generate("--tokens", "1,99999"), "", "99999");
        yield return Case("text without a tokenizer", Generate("--prompt", "hello"), "", "tokenizer.json");
        yield return Case("a negative temperature", Generate("--tokens", "1", "--temperature", "-1"), "", "temperature");
        yield return Case("a top-p above one", Generate("--tokens", "1", "--top-p", "1.5"), "", "top-p");
        yield return Case("a bias without a value", Generate("--tokens", "1", "--logit-bias", "7"), "", "--logit-bias");
        yield return Case("no tokens to put out", Generate("--tokens", "1", "--max-tokens", "0"), "", "max tokens");
        yield return Case("a line that is not JSON", Generate("--prompts", "-"), "{\"tokens\": [1]}\nnonsense", "line 2");
        yield return Case("a token outside the vocabulary in a later line", [.. Generate("--prompts", "-"), "--json"], "{\"tokens\": [1]}\n\n{\"tokens\": [99999]}", "standard input, line 3: prompt");
        yield return Case("no tokens in a later line", [.. Generate("--prompts", "-"), "--json"], "{\"tokens\": [1]}\n{\"tokens\": []}", "standard input, line 2: prompt");
        yield return Case("a conversation that the template refuses", ["generate", "--prompts", "-"], "\"a\"\n{\"messages\": [{\"role\": \"system\", \"content\": \"x\"}]}", "standard input, line 2: Only user");
        yield return Case("no prompts", Generate("--prompts", "-"), "\n", "standard input: expected at least one prompt");
        yield return Case("a lambda beyond float32", Generate("--tokens", "1", "--lambda", "3e38"), "", "lambda");
        yield return Case("a temperature beyond float32", Generate("--tokens", "1", "--temperature", "1e-40"), "", "temperature");
        yield return Case("a lambda to score that is beyond float32", [.. Score(), "--lambda", "-1e20"], "{\"tokens\": [1, 2]}", "lambda");
        yield return Case("a token outside the vocabulary to score", Score(), "{\"tokens\": [1, 2]}\n{\"tokens\": [1, 99999]}", "standard input, line 2: tokens");
        yield return Case("a prompt of the wrong type", Generate("--prompts", "-"), "{\"prompt\": 5}", "prompt");
        yield return Case("a seed below zero", Generate("--prompts", "-"), "{\"tokens\": [1], \"seed\": -1}", "seed");
        yield return Case("a prompts file that is not there", Generate("--prompts", "missing.jsonl"), "", "missing.jsonl");
        yield return Case("a folder of prompts", Generate("--prompts", Model), "", "found a folder");
        yield return Case("a score line without completion", Score(), "{\"prompt\": \"a\"}", "completion");
        yield return Case("a start outside the text", Score(), "{\"tokens\": [1, 2], \"from\": 2}", "from");
        yield return Case("a start before anything is given", Score(), "{\"tokens\": [1, 2], \"from\": 0}", "from");
        yield return Case("one token to score", Score(), "{\"tokens\": [1]}", "tokens");
        yield return Case("a key twice", Score(), "{\"tokens\": [1, 2], \"tokens\": [1, 2]}", "line 1");
        yield return Case("a folder to write to", ["logits", "--model", Model, "--tokens", "1", "--out", Model], "", "found a folder");
        yield return Case("a file in a folder that is not there", [.. Score(), "--output", "no/such/folder/x"], "{\"tokens\": [1, 2]}", "existing folder");
        yield return Case("a model without template", ["template", "--model", Model], "{}", "chat_template");
        yield return Case("a dtype nobody knows", Generate("--tokens", "1", "--dtype", "int4"), "", "dera: --dtype: expected one of auto, f32, f16, bf16, found 'int4'\n");

        yield return Case("half a surrogate pair", Generate("--prompts", "-"), "{\"prompt\": \"\\ud800\"}", "surrogate");
        yield return Case("half a surrogate pair in an id", Score(), "{\"id\": \"\\udc00\", \"tokens\": [1, 2]}", "surrogate");
        yield return Case("a line of standard input", Score(), "{\"tokens\": 1}", "standard input, line 1");
        yield return Case("a device nobody knows", ["generate", "--tokens", "1", "--device", "gpu"], "", "'gpu'");
        yield return Case("a device to compare with that nobody knows", ["bench", "--against", "gpu"], "", "--against");
        yield return Case("a device number that is none", ["selftest", "--device", "opencl:x"], "", "'opencl:x'");
        yield return Case("a temperature that is no number", Generate("--tokens", "1", "--temperature", "warm"), "", "expected a number");
        yield return Case("top tokens that nothing would show", Generate("--tokens", "1", "--top-logprobs", "3"), "", "--json");
        yield return Case("a chat of token ids", Generate("--tokens", "1", "--chat"), "", "--chat");
        yield return Case("a generation prompt that is no flag", ["template"], "{\"messages\": [], \"add_generation_prompt\": \"yes\"}", "add_generation_prompt");

        static string[] Score() =>
            ["score", "--device", "cpu", "--reference", Model, "--aligned", Path.Combine(Golden.Models, "llama_basic", "aligned")];

        static TestCaseData Case(string name, string[] arguments, string input, string named) =>
            new TestCaseData(arguments, input, named).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Cases))]
    public void Ends_in_a_line_that_names_it(string[] arguments, string input, string named)
    {
        Dera.Outcome outcome = Dera.Run(arguments, input);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
        Assert.That(outcome.Error, Does.Contain(named));
        Assert.That(outcome.Error, Does.Not.Contain("   at "), "a stack trace");
        Assert.That(outcome.Error, Does.Not.Contain("System."), "a .NET type");
        Assert.That(outcome.Output, Is.Empty);
    }

    [Test]
    public void A_device_that_is_not_there_fails_and_is_named()
    {
        Dera.Outcome outcome = Dera.Run(["selftest", "--device", "cuda:7"]);
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain("cuda:7"));
    }

    [Test]
    public void A_failed_run_leaves_no_file_behind()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        Dera.Outcome outcome = Dera.Run(["logits", "--device", "cpu", "--model", Model, "--tokens", "99999", "--out", Path.Combine(folder, "logits.bin")]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
        Assert.That(Directory.GetFiles(folder), Is.Empty);
        Directory.Delete(folder);
    }

    [Test]
    public void A_link_is_written_through_and_stays_a_link()
    {
        string folder = Directory.CreateTempSubdirectory().FullName, target = Path.Combine(folder, "target"), link = Path.Combine(folder, "link");
        File.WriteAllText(target, new string('x', 100_000));
        File.CreateSymbolicLink(link, target);
        Dera.Done(["logits", "--device", "cpu", "--model", Model, "--tokens", "1,2", "--out", link]);
        Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo(target));
        Assert.That(new FileInfo(target).Length, Is.GreaterThan(0).And.LessThan(100_000));
        Directory.Delete(folder, recursive: true);
    }
}
