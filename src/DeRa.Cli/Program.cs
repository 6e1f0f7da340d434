using System.Text;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;

// JSON is UTF-8, whatever the locale says.
Console.InputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
if (Console.IsInputRedirected)
{
    Console.SetIn(new Utf8LineReader(Console.OpenStandardInput(), InputLines.Name(InputLines.StandardInput)));
}

PipeOutput.Attach();
return await DeraCommand.RunAsync(args);
