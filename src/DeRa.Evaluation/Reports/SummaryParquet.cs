using Parquet.Schema;
using Parquet.Serialization;

namespace DeRa.Evaluation;

/// <summary>The summary's table as Parquet: a string column, then nullable doubles.</summary>
internal static class SummaryParquet
{
    public static async Task<byte[]> WriteAsync(IReadOnlyList<SummaryRow> rows)
    {
        var schema = new ParquetSchema([new DataField<string>("reward_name"), .. SummaryRow.Columns.Select(name => new DataField<double?>(name))]);
        Dictionary<string, object?>[] table =
        [
            .. rows.Select(row =>
            {
                var record = new Dictionary<string, object?> { ["reward_name"] = row.Reward };
                for (int i = 0; i < row.Values.Count; i++)
                {
                    record[SummaryRow.Columns[i]] = row.Values[i];
                }

                return record;
            }),
        ];
        using var stream = new MemoryStream();
        await ParquetSerializer.SerializeUntypedAsync(table!, schema, stream).ConfigureAwait(false);
        return stream.ToArray();
    }
}
