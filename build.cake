// Build, test and package DeRa.Engine: `dotnet tool restore && dotnet cake --target=Test`.

var target = Argument("target", "Test");
var configuration = Argument("configuration", "Release");
var solution = "DeRa.Engine.sln";
var artifacts = Directory("artifacts");
var bundleRuntime = "linux-x64";
var bundleLimitBytes = 50_000_000L;

Task("Build")
    .Description("Compiles every project, warnings as errors.")
    .Does(() => DotNetBuild(solution, new DotNetBuildSettings { Configuration = configuration }));

Task("Test")
    .Description("Runs every test project.")
    .IsDependentOn("Build")
    .Does(() => DotNetTest(solution, new DotNetTestSettings { Configuration = configuration, NoBuild = true }));

Task("Format")
    .Description("Fails when a file is not formatted as .editorconfig says.")
    .Does(() => DotNetFormat(solution, new DotNetFormatSettings { VerifyNoChanges = true }));

Task("Pack")
    .Description("NuGet packages with symbols, `dera` as a dotnet tool among them, into artifacts/packages.")
    .IsDependentOn("Build")
    .Does(() =>
    {
        CleanDirectory(artifacts + Directory("packages"));
        DotNetPack(solution, new DotNetPackSettings
        {
            Configuration = configuration,
            NoBuild = true,
            OutputDirectory = artifacts + Directory("packages"),
        });
    });

Task("Bundle")
    .Description("Self-contained archive of the command line for machines without .NET, into artifacts.")
    .Does(() =>
    {
        var folder = artifacts + Directory("dera-" + bundleRuntime);
        CleanDirectory(folder);
        DotNetPublish("src/DeRa.Cli", new DotNetPublishSettings
        {
            Configuration = configuration,
            Runtime = bundleRuntime,
            SelfContained = true,
            OutputDirectory = folder,
        });
        CreateDirectory(folder + Directory("tools"));
        CopyFiles("tools/cuda*", folder + Directory("tools"));
        var archive = artifacts + File("dera-" + bundleRuntime + ".tar.gz");
        var exit = StartProcess("tar", new ProcessSettings
        {
            Arguments = new ProcessArgumentBuilder()
                .Append("-C").AppendQuoted(artifacts.Path.FullPath).Append("-czf").AppendQuoted(archive.Path.FullPath).Append("dera-" + bundleRuntime),
        });
        if (exit != 0)
        {
            throw new CakeException($"tar ended with {exit}");
        }

        var bytes = Context.FileSystem.GetFile(archive).Length;
        Information("{0}: {1:F1} MB", archive.Path, bytes / 1e6);
        if (bytes > bundleLimitBytes)
        {
            throw new CakeException($"the bundle has {bytes} bytes; the limit is {bundleLimitBytes}");
        }
    });

RunTarget(target);
