using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine;

/// <summary>What a request must satisfy before the engine takes it.</summary>
internal static class RequestCheck
{
    /// <exception cref="RequestException">The first thing that is wrong.</exception>
    public static void Validate(GenerationRequest request, ModelPair pair)
    {
        RequireValue("prompt", request.PromptTokens);
        RequireValue("lambda", request.Lambda);
        RequireValue("sampling", request.Sampling);
        RequireValue("logit bias", request.Sampling.LogitBias);
        RequireValue("stop texts", request.StopTexts);

        if (request.Lambda.FirstInvalid() is float invalid)
        {
            throw new RequestException($"lambda: expected {RequestLimits.Lambda}, found {invalid}");
        }

        if (request.PromptTokens.Count == 0)
        {
            throw new RequestException("prompt: expected at least one token, found none");
        }

        if (request.MaxTokens < 1)
        {
            throw new RequestException($"max tokens: expected at least 1, found {request.MaxTokens}");
        }

        if (request.Samples < 1)
        {
            throw new RequestException($"samples: expected at least 1, found {request.Samples}");
        }

        if (request.TopTokens is < 0 or > HeadLimits.MaxTopTokens)
        {
            throw new RequestException($"top tokens: expected 0 to {HeadLimits.MaxTopTokens}, found {request.TopTokens}");
        }

        RequireTokens("prompt", request.PromptTokens, pair);

        if (pair.MaxPositions is int positions && request.PromptTokens.Count > positions)
        {
            throw new RequestException($"prompt: it has {request.PromptTokens.Count} tokens, the models have {positions} positions");
        }

        foreach (string? text in request.StopTexts)
        {
            if (string.IsNullOrEmpty(text))
            {
                throw new RequestException("stop text: expected at least one character, found none");
            }
        }

        request.Sampling.Validate(pair.Vocabulary);
    }

    /// <exception cref="RequestException">The first thing that is wrong.</exception>
    public static void Validate(ScoreRequest request, ModelPair pair)
    {
        RequireValue("tokens", request.Tokens);
        RequireValue("lambdas", request.Lambdas);

        if (request.Tokens.Count < 2)
        {
            throw new RequestException($"tokens: expected at least 2, the first is only given, found {request.Tokens.Count}");
        }

        if (request.From < 1 || request.From >= request.Tokens.Count)
        {
            throw new RequestException(
                $"from: expected a position between 1 and {request.Tokens.Count - 1} of {request.Tokens.Count} tokens, found {request.From}");
        }

        if (request.Lambdas.Count == 0)
        {
            throw new RequestException("lambdas: expected at least one, found none");
        }

        foreach (float lambda in request.Lambdas)
        {
            if (!RequestLimits.IsLambda(lambda))
            {
                throw new RequestException($"lambdas: expected {RequestLimits.Lambda}, found {lambda}");
            }
        }

        RequireTokens("tokens", request.Tokens, pair);
        if (pair.MaxPositions is int positions && request.Tokens.Count - 1 > positions)
        {
            throw new RequestException($"tokens: the text has {request.Tokens.Count}, the models have {positions} positions");
        }
    }

    // Callers without nullable annotations, and deserialisers, can leave a property out.
    private static void RequireValue(string what, object? value)
    {
        if (value is null)
        {
            throw new RequestException($"{what}: expected a value, found null");
        }
    }

    private static void RequireTokens(string what, IReadOnlyList<int> tokens, ModelPair pair)
    {
        foreach (int token in tokens)
        {
            if (token < 0 || token >= pair.Vocabulary)
            {
                throw new RequestException($"{what}: expected token ids between 0 and {pair.Vocabulary - 1}, found {token}");
            }
        }
    }
}
