namespace DeRa.Kernels.Cpu;

public sealed unsafe partial class CpuKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueEmbed(
        IntVector tokens, Weight table, float scale, IntVector? positions, Weight? positionTable, Matrix output) =>
        recorder.AddRows(new EmbedOperation
        {
            Tokens = Pointer(tokens),
            Count = tokens.Length,
            Table = Vector(table),
            Scale = scale,
            Positions = positions is { } p ? Pointer(p) : null,
            PositionTable = Vector(positionTable),
            Hidden = output.Columns,
            Output = Pointer(output),
            OutputStride = output.RowStride,
        });

    /// <inheritdoc />
    protected override void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate) =>
        recorder.AddRows(new RmsNormOperation
        {
            X = Pointer(x),
            XStride = x.RowStride,
            Rows = x.Rows,
            Columns = x.Columns,
            Gain = Vector(gain),
            Epsilon = epsilon,
            UnitOffset = unitOffset,
            Y = Pointer(y),
            YStride = y.RowStride,
            Accumulate = accumulate,
        });

    /// <inheritdoc />
    protected override void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y) =>
        recorder.AddRows(new LayerNormOperation
        {
            X = Pointer(x),
            XStride = x.RowStride,
            Rows = x.Rows,
            Columns = x.Columns,
            Gain = Vector(gain),
            Bias = Vector(bias),
            Epsilon = epsilon,
            Y = Pointer(y),
            YStride = y.RowStride,
        });

    /// <inheritdoc />
    protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
    {
        switch (w.DType)
        {
            case DType.BF16:
                EnqueueLinear<BFloat16>(x, w, bias, y, accumulate);
                break;
            case DType.F16:
                EnqueueLinear<Binary16>(x, w, bias, y, accumulate);
                break;
            default:
                EnqueueLinear<Binary32>(x, w, bias, y, accumulate);
                break;
        }
    }

    /// <inheritdoc />
    protected override void EnqueueRopeAndStoreKv(
        Matrix qkv, QkvLayout layout, RopeTable? rope, HeadNorm? headNorm, KvLayer cache, DeviceBatch batch) =>
        recorder.AddRows(new RopeAndStoreKvOperation
        {
            Qkv = Pointer(qkv),
            QkvStride = qkv.RowStride,
            Tokens = batch.TokenCount,
            Layout = layout,
            Cos = rope is { } c ? Pointer(c.Cos) : null,
            CosStride = rope?.Cos.RowStride ?? 0,
            Sin = rope is { } s ? Pointer(s.Sin) : null,
            SinStride = rope?.Sin.RowStride ?? 0,
            HalfRotary = rope is { } r ? r.RotaryDim / 2 : 0,
            QueryGain = Vector(headNorm?.QueryGain),
            KeyGain = Vector(headNorm?.KeyGain),
            Epsilon = headNorm?.Epsilon ?? 0,
            Keys = Floats(cache.Keys) + cache.Offset,
            Values = Floats(cache.Values) + cache.Offset,
            BlockSize = cache.BlockSize,
            SlotMapping = Pointer(batch.SlotMapping),
        });

    /// <inheritdoc />
    protected override void EnqueuePagedAttention(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output)
    {
        var operation = new PagedAttentionOperation
        {
            Qkv = Pointer(qkv),
            QkvStride = qkv.RowStride,
            Tokens = batch.TokenCount,
            Layout = layout,
            Keys = Floats(cache.Keys) + cache.Offset,
            Values = Floats(cache.Values) + cache.Offset,
            BlockSize = cache.BlockSize,
            Positions = Pointer(batch.Positions),
            SequenceIndex = Pointer(batch.SequenceIndex),
            BlockTables = Pointer(batch.BlockTables),
            MaxBlocks = batch.MaxBlocks,
            Scale = options.Scale,
            Window = options.Window ?? int.MaxValue,
            SoftCap = options.SoftCap ?? 0,
            Output = Pointer(output),
            OutputStride = output.RowStride,
            MaxChunks = (batch.MaxContext + PagedAttentionOperation.Chunk - 1) / PagedAttentionOperation.Chunk,
        };
        recorder.Add(operation, operation.SharedBytes(workers), operation.PrivateBytes);
    }

    /// <inheritdoc />
    protected override void EnqueueGatedActivation(Matrix gateUp, ActivationKind activation, Matrix y) =>
        EnqueueActivation(activation, gateUp, y.Columns, Pointer(gateUp) + y.Columns, y);

    /// <inheritdoc />
    protected override void EnqueueActivation(Matrix x, ActivationKind activation) =>
        EnqueueActivation(activation, x, x.Columns, null, x);

    /// <inheritdoc />
    protected override void EnqueueGather(Matrix x, IntVector rows, Matrix y) =>
        recorder.Add(new GatherOperation
        {
            X = Pointer(x),
            XStride = x.RowStride,
            Rows = Pointer(rows),
            Count = rows.Length,
            Columns = x.Columns,
            Y = Pointer(y),
            YStride = y.RowStride,
        });

    /// <inheritdoc />
    protected override void EnqueueSoftCap(Matrix x, float cap) =>
        recorder.Add(new SoftCapOperation { X = Pointer(x), XStride = x.RowStride, Rows = x.Rows, Columns = x.Columns, Cap = cap });

    private void EnqueueLinear<TFormat>(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
        where TFormat : unmanaged, IWeightFormat
    {
        var shape = new LinearShape
        {
            X = Pointer(x),
            XStride = x.RowStride,
            Rows = x.Rows,
            K = w.Columns,
            N = w.Rows,
            W = Address(w.Buffer) + w.ByteOffset,
            Bias = Vector(bias),
            Y = Pointer(y),
            YStride = y.RowStride,
            Accumulate = accumulate,
        };
        if (w.InputMajor)
        {
            recorder.Add(new InputMajorLinearOperation<TFormat>(shape), 0, InputMajorLinearOperation<TFormat>.PrivateBytes);
        }
        else if (recorder.Last<LinearOperation<TFormat>>(out LinearOperation<TFormat>* last) && last->Accepts(shape) && recorder.TryWiden(shape.Results))
        {
            last->Add(shape);
        }
        else
        {
            var operation = new LinearOperation<TFormat>(shape, workers);
            if (operation.TakesRows)
            {
                recorder.AddRows(operation, operation.SharedBytes, operation.PrivateBytes);
            }
            else
            {
                recorder.Add(operation, operation.SharedBytes, operation.PrivateBytes);
            }
        }
    }

    private void EnqueueActivation(ActivationKind activation, Matrix x, int columns, float* factor, Matrix y)
    {
        switch (activation)
        {
            case ActivationKind.Silu:
                EnqueueActivation<Silu>(x, columns, factor, y);
                break;
            case ActivationKind.Gelu:
                EnqueueActivation<Gelu>(x, columns, factor, y);
                break;
            case ActivationKind.GeluTanh:
                EnqueueActivation<GeluTanh>(x, columns, factor, y);
                break;
            case ActivationKind.QuickGelu:
                EnqueueActivation<QuickGelu>(x, columns, factor, y);
                break;
            case ActivationKind.Relu:
                EnqueueActivation<Relu>(x, columns, factor, y);
                break;
            case ActivationKind.Relu2:
                EnqueueActivation<Relu2>(x, columns, factor, y);
                break;
            case ActivationKind.Tanh:
                EnqueueActivation<Tanh>(x, columns, factor, y);
                break;
            case ActivationKind.Sigmoid:
                EnqueueActivation<Sigmoid>(x, columns, factor, y);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "unknown activation");
        }
    }

    private void EnqueueActivation<TActivation>(Matrix x, int columns, float* factor, Matrix y)
        where TActivation : unmanaged, IActivation =>
        recorder.AddRows(new ActivationOperation<TActivation>
        {
            X = Pointer(x),
            Factor = factor,
            XStride = x.RowStride,
            Rows = x.Rows,
            Columns = columns,
            Y = Pointer(y),
            YStride = y.RowStride,
        });

    private byte* Address(DeviceBuffer buffer) => CpuBuffer.AddressOf(buffer, this);

    private float* Floats(DeviceBuffer buffer) => (float*)Address(buffer);

    private float* Pointer(Matrix matrix) => Floats(matrix.Buffer) + matrix.Offset;

    private int* Pointer(IntVector vector) => (int*)Address(vector.Buffer) + vector.Offset;

    private WeightVector Vector(Weight? weight) => weight is { } w ? new WeightVector(Address(w.Buffer) + w.ByteOffset, w.DType) : default;
}
