using System.Text;
using DeRa.Cli.CommandLine;

Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return await DeraCommand.RunAsync(args);
