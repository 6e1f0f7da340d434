using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Reads bound arguments as the type a built-in function needs.</summary>
internal static class ArgumentReading
{
    extension(RenderContext context)
    {
        /// <summary>A string argument.</summary>
        public string Text(Value? value, string what) => value switch
        {
            StringValue text => text.Text,
            UndefinedValue undefined => throw context.Undefined(undefined),
            null => throw context.Error($"{what} is missing"),
            _ => throw context.Error($"{what} must be str, not {value.TypeName}"),
        };

        /// <summary>An integer argument that must fit 32 bits after saturation; a missing one takes the default.</summary>
        public int Int(Value? value, int missing, string what)
        {
            switch (value)
            {
                case null:
                    return missing;
                case UndefinedValue undefined:
                    throw context.Undefined(undefined);
            }
            if (!PythonNumbers.TryGetInt(value, out BigInteger number))
                throw context.Error($"{what}: '{value.TypeName}' object cannot be interpreted as an integer");
            return (int)BigInteger.Max(int.MinValue / 2, BigInteger.Min(int.MaxValue / 2, number));
        }

        /// <summary>A truth value; a missing one takes the default.</summary>
        public bool Flag(Value? value, bool missing = false) => value is null ? missing : PythonOperators.IsTrue(context, value);
    }
}
