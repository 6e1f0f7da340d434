using System.Xml.Linq;

namespace DeRa.Architecture.Tests;

/// <summary>The layers of the design: a project may refer only to projects below it.</summary>
public sealed class ProjectReferenceTests
{
    /// <summary>From the top down; a project's height is its place in this list.</summary>
    private static readonly string[] Layers =
    [
        "DeRa.Cli",
        "DeRa.Benchmarks",
        "DeRa.Evaluation",
        "DeRa.Engine",
        "DeRa.Models",
        "DeRa.Checkpoints",
        "DeRa.Tokenization",
        "DeRa.Kernels.Verification",
        "DeRa.Kernels",
    ];

    private static readonly string Root = RepositoryRoot.Path;

    public static IEnumerable<string> ProductProjects() =>
        new[] { "src", "kernels" }.SelectMany(folder => Directory.GetFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Root, path));

    [TestCaseSource(nameof(ProductProjects))]
    public void References_point_down(string project)
    {
        int height = Array.IndexOf(Layers, Path.GetFileNameWithoutExtension(project));
        Assert.That(height, Is.Not.Negative, $"{project} has no place among the layers");
        foreach (string reference in References(project))
        {
            Assert.That(Array.IndexOf(Layers, reference), Is.GreaterThan(height), $"{project} refers to {reference}");
        }
    }

    [Test]
    public void Tokenization_knows_nothing_of_devices() =>
        Assert.That(References("src/DeRa.Tokenization/DeRa.Tokenization.csproj"), Is.Empty);

    [Test]
    public void Kernels_know_no_other_project() =>
        Assert.That(References("kernels/DeRa.Kernels/DeRa.Kernels.csproj"), Is.Empty);

    [Test]
    public void Only_the_trainer_and_tests_may_need_more_than_the_product()
    {
        foreach (string project in ProductProjects())
        {
            Assert.That(References(project), Has.None.EqualTo("DeRa.PairTrainer"), project);
        }
    }

    [Test]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Root, "DeRa.Engine.sln")).Replace('\\', '/');
        string[] projects =
        [
            .. new[] { "src", "kernels", "tests", "tools" }
                .SelectMany(folder => Directory.GetFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
                .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/')),
        ];
        Assert.That(projects, Has.Length.GreaterThan(10));
        Assert.That(projects.Where(project => !solution.Contains(project, StringComparison.Ordinal)), Is.Empty);
    }

    private static string[] References(string project) =>
    [
        .. XDocument.Load(Path.Combine(Root, project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))),
    ];
}
