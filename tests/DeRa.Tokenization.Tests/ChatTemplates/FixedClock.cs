namespace DeRa.Tokenization.Tests.ChatTemplates;

/// <summary>A clock that stands at 2024-07-04 05:06:07, in a local zone that is UTC.</summary>
internal sealed class FixedClock : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => new(2024, 7, 4, 5, 6, 7, TimeSpan.Zero);
}
