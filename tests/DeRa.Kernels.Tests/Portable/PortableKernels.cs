using System.Reflection;
using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>Every kernel of the portable set in the form for GPUs, found by its shape: a static method of a *Kernel class with one *Args.</summary>
internal static class PortableKernels
{
    private static readonly Type[] Projectors =
    [
        typeof(CooperativeProjector<BFloat16Format>), typeof(CooperativeProjector<Float16Format>), typeof(CooperativeProjector<Float32Format>),
    ];

    private static readonly Type[] Formats = [typeof(BFloat16Format), typeof(Float16Format), typeof(Float32Format)];

    /// <summary>Name for people, and the entry point.</summary>
    public static IEnumerable<(string Name, MethodInfo Method)> All() =>
        from definition in typeof(PortableKernelSet).Assembly.GetTypes()
        where definition.Namespace == typeof(PortableKernelSet).Namespace && definition.Name.Split('`')[0].EndsWith("Kernel", StringComparison.Ordinal)
            && !definition.Name.StartsWith("Serial", StringComparison.Ordinal) // processors' alone
        from type in Closed(definition)
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        let parameters = method.GetParameters()
        where parameters.Length == 1 && parameters[0].ParameterType.Name.EndsWith("Args", StringComparison.Ordinal)
        select (Name(type, method), method);

    private static IEnumerable<Type> Closed(Type definition)
    {
        if (!definition.IsGenericTypeDefinition)
        {
            return [definition];
        }

        Type[] constraints = [.. definition.GetGenericArguments().Select(a => a.GetGenericParameterConstraints().First(c => c.IsInterface))];
        if (constraints.All(c => c == typeof(IProjector)))
        {
            return Projectors.Select(p => definition.MakeGenericType([.. constraints.Select(_ => p)]));
        }

        if (constraints.All(c => c == typeof(IWeightFormat)))
        {
            return Formats.Select(format => definition.MakeGenericType(format));
        }

        Type form = constraints.Single() == typeof(IAttentionForm) ? typeof(CooperativeAttention)
            : constraints.Single() == typeof(ICacheFormat) ? typeof(Float32Cache)
            : typeof(CooperativeForm);
        return [definition.MakeGenericType(form)];
    }

    private static string Name(Type type, MethodInfo method)
    {
        Type? argument = type.IsGenericType ? type.GetGenericArguments()[0] : null;
        string format = argument is { IsGenericType: true } ? "_" + argument.GetGenericArguments()[0].Name
            : Formats.Contains(argument) ? "_" + argument!.Name
            : "";
        return $"{type.Name.Split('`')[0]}_{method.Name}{format}";
    }
}
