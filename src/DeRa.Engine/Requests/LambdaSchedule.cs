using System.Globalization;

namespace DeRa.Engine;

/// <summary>Where a generation stands when λ of its next token is asked for.</summary>
/// <param name="Index">Tokens put out so far: 0 for the first.</param>
/// <param name="KlReference">Σ KL(p_λ ‖ p_r) over them, in nats.</param>
public readonly record struct LambdaPosition(int Index, double KlReference);

/// <summary>
/// λ per token of a generation: one value, or one that changes as tokens are put out. A number converts to the constant schedule, so
/// <c>Lambda = 0.5f</c> is a schedule too. Immutable.
/// </summary>
public abstract record LambdaSchedule
{
    private protected LambdaSchedule()
    {
    }

    /// <summary>The value where it is the same for every token; null for a schedule that changes.</summary>
    public virtual float? ConstantValue => null;

    /// <summary>Whether λ depends on the divergence so far, which then is computed at every position whether reported or not.</summary>
    internal virtual bool NeedsDivergence => false;

    /// <summary>One value for every token.</summary>
    public static LambdaSchedule Constant(float lambda) => new ConstantLambda(lambda);

    /// <summary>One value for every token.</summary>
    public static LambdaSchedule FromSingle(float lambda) => new ConstantLambda(lambda);

    /// <summary>From one value at the first token along a straight line to another, which holds from token <paramref name="over"/> on.</summary>
    /// <param name="from">λ of the first token.</param>
    /// <param name="to">λ of token <paramref name="over"/> and all after it.</param>
    /// <param name="over">Tokens from one to the other, at least 1.</param>
    public static LambdaSchedule Linear(float from, float to, int over)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(over, 1);
        return new LinearLambda(from, to, over);
    }

    /// <summary>Pieces of one value each.</summary>
    /// <param name="pieces">First token and value of each piece; the first begins at token 0, the others after the one before.</param>
    /// <exception cref="ArgumentException">The pieces do not begin at 0 or do not ascend.</exception>
    public static LambdaSchedule Piecewise(params IReadOnlyList<(int From, float Lambda)> pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        for (int i = 0; i < Math.Max(1, pieces.Count); i++)
        {
            if (i == pieces.Count || (i == 0 ? pieces[i].From != 0 : pieces[i].From <= pieces[i - 1].From))
            {
                throw new ArgumentException($"pieces: expected starts that ascend from 0, found {string.Join(", ", pieces.Select(piece => piece.From))}", nameof(pieces));
            }
        }

        return new PiecewiseLambda([.. pieces]);
    }

    /// <summary>
    /// Whatever a function says. It is called once per token, in order, on the engine's thread: it should be quick. An exception it throws, or a
    /// value that is not finite or beyond 10¹² in size, ends its own request and no other.
    /// </summary>
    public static LambdaSchedule Callback(Func<LambdaPosition, float> lambda)
    {
        ArgumentNullException.ThrowIfNull(lambda);
        return new CallbackLambda(lambda);
    }

    /// <summary>One value for every token.</summary>
    public static implicit operator LambdaSchedule(float lambda) => new ConstantLambda(lambda);

    /// <summary>λ of the next token.</summary>
    internal abstract float At(LambdaPosition position);

    /// <summary>The first value that is no λ to compute with, where values are known beforehand.</summary>
    internal abstract float? FirstInvalid();

    private static float? InvalidAmong(params ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!RequestLimits.IsLambda(value))
            {
                return value;
            }
        }

        return null;
    }

    private sealed record ConstantLambda(float Value) : LambdaSchedule
    {
        public override float? ConstantValue => Value;

        public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

        internal override float At(LambdaPosition position) => Value;

        internal override float? FirstInvalid() => InvalidAmong(Value);
    }

    private sealed record LinearLambda(float From, float To, int Over) : LambdaSchedule
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{From} to {To} over {Over} tokens");

        internal override float At(LambdaPosition position) =>
            position.Index >= Over ? To : From + ((To - From) * ((float)position.Index / Over));

        internal override float? FirstInvalid() => InvalidAmong(From, To);
    }

    private sealed record PiecewiseLambda((int From, float Lambda)[] Pieces) : LambdaSchedule
    {
        public override string ToString() => string.Join(", ", Pieces.Select(piece => string.Create(CultureInfo.InvariantCulture, $"{piece.Lambda} from {piece.From}")));

        internal override float At(LambdaPosition position) => Pieces.Last(piece => piece.From <= position.Index).Lambda;

        internal override float? FirstInvalid() => InvalidAmong([.. Pieces.Select(piece => piece.Lambda)]);
    }

    private sealed record CallbackLambda(Func<LambdaPosition, float> Lambda) : LambdaSchedule
    {
        internal override bool NeedsDivergence => true;

        public override string ToString() => "a function";

        internal override float At(LambdaPosition position) => Lambda(position);

        internal override float? FirstInvalid() => null;
    }
}
