using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>The arithmetic operators over numbers, strings and sequences.</summary>
internal static class Arithmetic
{
    public static Value Apply(RenderContext context, string op, Value left, Value right)
    {
        if (op == "%" && left is StringValue format)
            return context.NewString(PercentFormat.Apply(context, format.Text, right), format.IsMarkup);
        if ((left as UndefinedValue ?? right as UndefinedValue) is UndefinedValue undefined)
            throw context.Undefined(undefined);
        if (PythonNumbers.TryGetInt(left, out BigInteger leftInt) && PythonNumbers.TryGetInt(right, out BigInteger rightInt))
            return ApplyInts(context, op, leftInt, rightInt);
        if (PythonNumbers.TryGetDouble(left, out double leftReal) && PythonNumbers.TryGetDouble(right, out double rightReal))
            return ApplyReals(context, op, leftReal, rightReal);
        return op switch
        {
            "+" => Concatenate(context, left, right),
            "*" => Repeat(context, left, right),
            _ => throw Unsupported(context, op, left, right),
        };
    }

    public static Value Negate(RenderContext context, string op, Value value)
    {
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        if (value is FloatValue real)
            return op == "-" ? new FloatValue(-real.Value) : real;
        if (PythonNumbers.TryGetInt(value, out BigInteger number))
            return context.NewInt(op == "-" ? -number : number);
        throw context.Error($"bad operand type for unary {op}: '{value.TypeName}'");
    }

    private static Value ApplyInts(RenderContext context, string op, BigInteger left, BigInteger right)
    {
        if (right.IsZero && op is ("/" or "//" or "%"))
            throw context.Error(op == "/" ? "division by zero" : "integer division or modulo by zero");
        return op switch
        {
            "+" => context.NewInt(left + right),
            "-" => context.NewInt(left - right),
            "*" => context.NewInt(left * right),
            "/" => Quotient(context, left, right),
            "//" => context.NewInt(FloorDivide(left, right)),
            "%" => context.NewInt(left - (FloorDivide(left, right) * right)),
            _ => Power(context, left, right),
        };
    }

    private static FloatValue Quotient(RenderContext context, BigInteger left, BigInteger right)
    {
        double quotient = (double)left / (double)right;
        if (!double.IsFinite(quotient))
            throw context.Error("integer division result too large for a float");
        return new FloatValue(quotient);
    }

    private static BigInteger FloorDivide(BigInteger left, BigInteger right)
    {
        BigInteger quotient = BigInteger.DivRem(left, right, out BigInteger remainder);
        return !remainder.IsZero && remainder.Sign != right.Sign ? quotient - 1 : quotient;
    }

    private static Value Power(RenderContext context, BigInteger left, BigInteger right)
    {
        if (right.Sign < 0)
            return ApplyReals(context, "**", (double)left, (double)right);
        long bits = BigInteger.Abs(left).GetBitLength();
        // |left| ≤ 1 stays there whatever the exponent; otherwise the result has at least (bits − 1)·right bits.
        if (bits > 1 && right * (bits - 1) > context.Limits.MaxIntegerBits)
            throw context.Error($"an integer power exceeds the limit of {context.Limits.MaxIntegerBits} bits");
        int exponent = bits > 1 ? (int)right : (int)(right.IsZero ? 0 : 2 - (right.IsEven ? 0 : 1));
        return context.NewInt(BigInteger.Pow(left, exponent));
    }

    private static FloatValue ApplyReals(RenderContext context, string op, double left, double right)
    {
        if (right == 0 && op is ("/" or "//" or "%"))
            throw context.Error("float division by zero");
        return new FloatValue(op switch
        {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            "//" => Math.Floor(left / right),
            "%" => Modulo(left, right),
            _ => Power(context, left, right),
        });
    }

    private static double Modulo(double left, double right)
    {
        double remainder = left % right;
        if (remainder == 0)
            return Math.CopySign(0, right);
        return (remainder < 0) != (right < 0) ? remainder + right : remainder;
    }

    private static double Power(RenderContext context, double left, double right)
    {
        if (left == 0 && right < 0)
            throw context.Error("0.0 cannot be raised to a negative power");
        if (left < 0 && double.IsFinite(left) && double.IsFinite(right) && right != Math.Floor(right))
            throw context.Error("complex numbers are not supported");
        double power = Math.Pow(left, right);
        if (double.IsInfinity(power) && double.IsFinite(left) && double.IsFinite(right))
            throw context.Error("numerical result out of range");
        return power;
    }

    private static Value Concatenate(RenderContext context, Value left, Value right)
    {
        switch (left, right)
        {
            case (StringValue a, StringValue b):
                string head = b.IsMarkup && !a.IsMarkup ? Markup.Escape(context, a.Text) : a.Text;
                string tail = a.IsMarkup && !b.IsMarkup ? Markup.Escape(context, b.Text) : b.Text;
                context.AllocateString((long)head.Length + tail.Length);
                return new StringValue(head + tail, a.IsMarkup || b.IsMarkup);
            case (ListValue a, ListValue b):
                context.AllocateList((long)a.Items.Count + b.Items.Count);
                return new ListValue([.. a.Items, .. b.Items]);
            case (TupleValue a, TupleValue b):
                context.AllocateList((long)a.Items.Count + b.Items.Count);
                return new TupleValue([.. a.Items, .. b.Items]);
            case (StringValue, _):
                throw context.Error($"can only concatenate str (not \"{right.TypeName}\") to str");
            case (SequenceValue, _):
                throw context.Error($"can only concatenate {left.TypeName} (not \"{right.TypeName}\") to {left.TypeName}");
            default:
                throw Unsupported(context, "+", left, right);
        }
    }

    private static Value Repeat(RenderContext context, Value left, Value right)
    {
        (Value sequence, Value factor) = left is StringValue or SequenceValue ? (left, right) : (right, left);
        if (sequence is not (StringValue or SequenceValue))
            throw Unsupported(context, "*", left, right);
        if (!PythonNumbers.TryGetInt(factor, out BigInteger times))
            throw context.Error($"can't multiply sequence by non-int of type '{factor.TypeName}'");
        int length = sequence is StringValue text ? text.Text.Length : ((SequenceValue)sequence).Items.Count;
        BigInteger total = BigInteger.Max(0, times) * length;
        long bounded = (long)BigInteger.Min(total, long.MaxValue / 8);
        int count = length == 0 ? 0 : (int)BigInteger.Min(BigInteger.Max(0, times), int.MaxValue);
        if (sequence is StringValue repeated)
        {
            context.AllocateString(bounded);
            return new StringValue(string.Concat(Enumerable.Repeat(repeated.Text, count)), repeated.IsMarkup);
        }
        context.AllocateList(bounded);
        var items = new List<Value>((int)bounded);
        for (int i = 0; i < count; i++)
            items.AddRange(((SequenceValue)sequence).Items);
        return sequence is ListValue ? new ListValue(items) : new TupleValue(items);
    }

    private static ChatTemplateException Unsupported(RenderContext context, string op, Value left, Value right) =>
        context.Error($"unsupported operand type(s) for {op}: '{left.TypeName}' and '{right.TypeName}'");
}
