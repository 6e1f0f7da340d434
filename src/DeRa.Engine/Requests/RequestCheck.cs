using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine;

/// <summary>What a request must satisfy before the engine takes it.</summary>
internal static class RequestCheck
{
    /// <exception cref="RequestException">The first thing that is wrong.</exception>
    public static void Validate(GenerationRequest request, ModelPair pair)
    {
        if (!float.IsFinite(request.Lambda))
        {
            throw new RequestException($"lambda: expected a finite number, found {request.Lambda}");
        }

        if (request.PromptTokens.Count == 0)
        {
            throw new RequestException("prompt: expected at least one token, found none");
        }

        if (request.MaxTokens < 1)
        {
            throw new RequestException($"max tokens: expected at least 1, found {request.MaxTokens}");
        }

        if (request.TopTokens is < 0 or > HeadLimits.MaxTopTokens)
        {
            throw new RequestException($"top tokens: expected 0 to {HeadLimits.MaxTopTokens}, found {request.TopTokens}");
        }

        foreach (int token in request.PromptTokens)
        {
            if (token < 0 || token >= pair.Vocabulary)
            {
                throw new RequestException($"prompt: expected token ids between 0 and {pair.Vocabulary - 1}, found {token}");
            }
        }

        if (pair.MaxPositions is int positions && request.PromptTokens.Count > positions)
        {
            throw new RequestException($"prompt: it has {request.PromptTokens.Count} tokens, the models have {positions} positions");
        }

        foreach (string text in request.StopTexts)
        {
            if (text.Length == 0)
            {
                throw new RequestException("stop text: expected at least one character, found none");
            }
        }

        request.Sampling.Validate(pair.Vocabulary);
    }
}
