using System.Globalization;

namespace DeRa.Evaluation;

/// <summary>λ is a float32 in the kernels; figures and texts use the decimal number a person wrote, 0.1 rather than 0.10000000149.</summary>
internal static class LambdaValue
{
    public static double Decimal(float lambda) => double.Parse(Text(lambda), CultureInfo.InvariantCulture);

    public static string Text(float lambda) => lambda.ToString("R", CultureInfo.InvariantCulture);
}
