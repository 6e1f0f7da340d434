using System.Text;

namespace DeRa.Tokenization;

/// <summary>
/// SentencePiece's BPE: the adjacent pair whose joined text is the best-scored piece merges first, the leftmost of equals; user-defined pieces
/// are taken whole, unused pieces are split up again (google/sentencepiece <c>bpe_model.cc</c>). O(n log n).
/// </summary>
internal sealed class SentencePieceBpe
{
    private const int None = -1;

    private readonly SentencePieceModel model;
    private readonly Dictionary<string, int> mergeable = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> mergeableBySpan;
    private readonly TokenTrie? userDefined;
    private readonly int?[] byteIds = new int?[256];
    private readonly int longestPiece;

    public SentencePieceBpe(SentencePieceModel model)
    {
        this.model = model;
        List<(string Text, int Id)> whole = [];
        for (int id = 0; id < model.Pieces.Count; id++)
        {
            Piece piece = model.Pieces[id];
            if (piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused)
            {
                mergeable[piece.Text] = id;
                longestPiece = Math.Max(longestPiece, piece.Text.Length);
            }
            if (piece.Type == PieceType.UserDefined)
                whole.Add((piece.Text, id));
            if (piece.Type == PieceType.Byte && TryReadByte(piece.Text, out byte value))
                byteIds[value] = id;
        }
        mergeableBySpan = mergeable.GetAlternateLookup<ReadOnlySpan<char>>();
        userDefined = whole.Count == 0 ? null : new TokenTrie(whole);
    }

    public void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        Symbols symbols = new(text.Length);
        Cut(text, symbols);
        Dictionary<int, int> unusedSplits = Merge(text, symbols);
        bool afterUnknown = false;
        for (int i = symbols.Count > 0 ? 0 : None; i != None; i = symbols.Next[i])
            Write(text, symbols.Start[i], symbols.Length[i], unusedSplits, ids, ref afterUnknown);
    }

    /// <summary>One symbol per character, and one per user-defined piece.</summary>
    private void Cut(ReadOnlySpan<char> text, Symbols symbols)
    {
        int nextPiece = 0, pieceLength = 0;
        bool morePieces = userDefined?.TryFind(text, 0, out nextPiece, out pieceLength, out _) ?? false;
        for (int start = 0; start < text.Length;)
        {
            bool isPiece = morePieces && start == nextPiece;
            int length = isPiece ? pieceLength : CodePoints.LengthAt(text, start);
            symbols.Add(start, length, isPiece);
            start += length;
            if (isPiece)
                morePieces = userDefined!.TryFind(text, start, out nextPiece, out pieceLength, out _);
        }
    }

    /// <returns>Where a merge into an unused piece happened: the hash-consed split point by piece id.</returns>
    private Dictionary<int, int> Merge(ReadOnlySpan<char> text, Symbols symbols)
    {
        Dictionary<int, int> unusedSplits = [];
        PriorityQueue<int, (float Score, int Position)> queue = new(new BestScoreFirst());
        for (int i = 0; i + 1 < symbols.Count; i++)
            Propose(text, symbols, queue, unusedSplits, i, i + 1);
        while (queue.TryDequeue(out int length, out (float Score, int Position) candidate))
        {
            int left = candidate.Position;
            int right = symbols.Length[left] == 0 ? None : symbols.Next[left];
            if (right == None || symbols.Length[left] + symbols.Length[right] != length)
                continue;
            symbols.Join(left, right);
            if (symbols.Previous[left] != None)
                Propose(text, symbols, queue, unusedSplits, symbols.Previous[left], left);
            if (symbols.Next[left] != None)
                Propose(text, symbols, queue, unusedSplits, left, symbols.Next[left]);
        }
        return unusedSplits;
    }

    private void Propose(
        ReadOnlySpan<char> text,
        Symbols symbols,
        PriorityQueue<int, (float Score, int Position)> queue,
        Dictionary<int, int> unusedSplits,
        int left,
        int right)
    {
        int length = symbols.Length[left] + symbols.Length[right];
        if (symbols.Frozen[left] || symbols.Frozen[right] || length > longestPiece)
            return;
        if (!mergeableBySpan.TryGetValue(text.Slice(symbols.Start[left], length), out int id))
            return;
        queue.Enqueue(length, (model.Pieces[id].Score, left));
        if (model.Pieces[id].Type == PieceType.Unused)
            unusedSplits[id] = symbols.Length[left];
    }

    private void Write(
        ReadOnlySpan<char> text, int start, int length, Dictionary<int, int> unusedSplits, List<int> ids, ref bool afterUnknown)
    {
        ReadOnlySpan<char> symbol = text.Slice(start, length);
        if (!mergeableBySpan.TryGetValue(symbol, out int id))
        {
            WriteUnknown(symbol, ids, ref afterUnknown);
            return;
        }
        if (model.Pieces[id].Type == PieceType.Unused && unusedSplits.TryGetValue(id, out int split))
        {
            Write(text, start, split, unusedSplits, ids, ref afterUnknown);
            Write(text, start + split, length - split, unusedSplits, ids, ref afterUnknown);
            return;
        }
        ids.Add(id);
        afterUnknown = false;
    }

    /// <summary>Bytes where the model falls back to them; else one unknown token for a run of unknown characters.</summary>
    private void WriteUnknown(ReadOnlySpan<char> symbol, List<int> ids, ref bool afterUnknown)
    {
        if (!model.ByteFallback)
        {
            if (!afterUnknown)
                ids.Add(model.UnknownId);
            afterUnknown = true;
            return;
        }
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(symbol)];
        Encoding.UTF8.GetBytes(symbol, bytes);
        foreach (byte value in bytes)
            ids.Add(byteIds[value] ?? model.UnknownId);
    }

    private static bool TryReadByte(string piece, out byte value)
    {
        value = 0;
        return piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal)
            && byte.TryParse(piece.AsSpan(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out value);
    }

    private sealed class BestScoreFirst : IComparer<(float Score, int Position)>
    {
        public int Compare((float Score, int Position) x, (float Score, int Position) y)
        {
            int byScore = y.Score.CompareTo(x.Score);
            return byScore != 0 ? byScore : x.Position.CompareTo(y.Position);
        }
    }

    /// <summary>A doubly linked list of stretches of the text; a joined-away symbol has length 0.</summary>
    private sealed class Symbols(int capacity)
    {
        public int Count { get; private set; }

        public int[] Start { get; } = new int[capacity];

        public int[] Length { get; } = new int[capacity];

        public int[] Next { get; } = new int[capacity];

        public int[] Previous { get; } = new int[capacity];

        public bool[] Frozen { get; } = new bool[capacity];

        public void Add(int start, int length, bool frozen)
        {
            (Start[Count], Length[Count], Frozen[Count]) = (start, length, frozen);
            (Previous[Count], Next[Count]) = (Count - 1, None);
            if (Count > 0)
                Next[Count - 1] = Count;
            Count++;
        }

        public void Join(int left, int right)
        {
            Length[left] += Length[right];
            Length[right] = 0;
            Next[left] = Next[right];
            if (Next[right] != None)
                Previous[Next[right]] = left;
        }
    }
}
