using Google.Protobuf;
using Microsoft.ML.Tokenizers;

namespace DeRa.Tokenization;

/// <summary>What a piece of a SentencePiece vocabulary is for (sentencepiece_model.proto, <c>ModelProto.SentencePiece.Type</c>).</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>One entry of a SentencePiece vocabulary; its id is its position.</summary>
internal readonly record struct Piece(string Text, float Score, PieceType Type);

/// <summary>
/// A tokenizer.model file. Microsoft.ML.Tokenizers checks it and does the text normalization (character map, dummy prefix, space escaping);
/// the pieces' scores and types, which that library keeps to itself, are read from the protobuf message here.
/// </summary>
internal sealed class SentencePieceModel
{
    /// <summary>Published files are a few MB.</summary>
    private const long LargestFile = 64L << 20;

    // Field numbers of sentencepiece_model.proto.
    private const int PiecesField = 1, TrainerField = 2;
    private const int TextField = 1, ScoreField = 2, TypeField = 3;
    private const int ModelTypeField = 3;

    /// <summary>TrainerSpec.ModelType; Unigram is what an absent field means.</summary>
    private const int Unigram = 1, Bpe = 2;

    private readonly SentencePieceTokenizer library;
    private readonly List<Piece> pieces = [];
    private int modelType = Unigram;

    private SentencePieceModel(string path, byte[] bytes)
    {
        try
        {
            ReadModel(new CodedInputStream(bytes));
            if (modelType == Bpe)
            {
                using MemoryStream stream = new(bytes);
                library = SentencePieceTokenizer.Create(stream, addBeginningOfSentence: false, addEndOfSentence: false);
                return;
            }
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // The library documents no exceptions for malformed files, and throws many kinds.
            throw new TokenizerException($"{path}: (root): expected a SentencePiece model, found a malformed one: {fault.Message}", fault);
        }
        throw new TokenizerException(path, "trainer_spec.model_type", "BPE (2), the only supported model", $"{modelType}");
    }

    public IReadOnlyList<Piece> Pieces => pieces;

    public bool ByteFallback => library.ByteFallback;

    public bool AddsDummyPrefix => library.AddDummyPrefix;

    public int UnknownId => library.UnknownId;

    public int BosId => library.BeginningOfSentenceId;

    public int EosId => library.EndOfSentenceId;

    public static SentencePieceModel Read(string path) => new(path, JsonFile.ReadBytes(path, LargestFile));

    public string Normalize(string text) => text.Length == 0 ? text : library.Normalizer?.Normalize(text) ?? text;

    private void ReadModel(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case PiecesField:
                    pieces.Add(ReadPiece(input.ReadBytes().CreateCodedInput()));
                    break;
                case TrainerField:
                    modelType = ReadModelType(input.ReadBytes().CreateCodedInput());
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    private static Piece ReadPiece(CodedInputStream input)
    {
        Piece piece = new("", 0, PieceType.Normal);
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case TextField:
                    piece = piece with { Text = input.ReadString() };
                    break;
                case ScoreField:
                    piece = piece with { Score = input.ReadFloat() };
                    break;
                case TypeField:
                    piece = piece with { Type = (PieceType)input.ReadEnum() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
        return piece;
    }

    private static int ReadModelType(CodedInputStream input)
    {
        int type = Unigram;
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == ModelTypeField)
                type = input.ReadEnum();
            else
                input.SkipLastField();
        }
        return type;
    }
}
