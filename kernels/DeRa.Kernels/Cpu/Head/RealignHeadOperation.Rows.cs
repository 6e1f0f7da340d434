namespace DeRa.Kernels.Cpu;

// What becomes of a row between and after sweeps: merged in the order of tiles, by one worker each.
internal unsafe partial struct RealignHeadOperation
{
    private void MergeRows(Worker* worker)
    {
        while (worker->Take(Count, out long row, out _, grain: 1))
        {
            FinishOrContinue((int)row, (Candidate*)worker->Private);
        }
    }

    private void FinishOrContinue(int row, Candidate* sorted)
    {
        MergeRow(row);
        HeadRow* options = Rows + row;
        if (!RowCut.IsNeeded(options, Vocabulary) || !(states[row].Cut.Max > float.NegativeInfinity))
        {
            Finish(row, BestOfTiles(row));
            return;
        }

        histograms[row].Clear();
        Continue(row, 0, sorted);
    }

    private void ContinueRows(int sweep, Worker* worker)
    {
        int* list = Waiting(sweep);
        while (worker->Take(pending[sweep], out long i, out _, grain: 1))
        {
            ContinueRow(list[i], sweep, (Candidate*)worker->Private);
        }
    }

    private void ContinueRow(int row, int sweep, Candidate* sorted)
    {
        RowCut* cut = &states[row].Cut;
        if (cut->Stage == CutStage.Draw)
        {
            cut->Stage = CutStage.Done;
            Finish(row, BestOfTiles(row));
            return;
        }

        cut->Advance(Rows + row, histograms + row);
        if (cut->IsLevelComplete)
        {
            Continue(row, sweep, sorted);
        }
        else
        {
            Wait(row, sweep);
        }
    }

    /// <summary>Settles the cut as far as possible and draws the token if all that can be drawn is among the candidates.</summary>
    private void Continue(int row, int sweep, Candidate* sorted)
    {
        int count = Sort(row, sorted, out float limit);
        RowCut* cut = &states[row].Cut;
        cut->Settle(Rows + row, sorted, count, limit, Vocabulary);
        if (cut->Stage != CutStage.Draw || !(cut->Threshold > limit || float.IsNegativeInfinity(limit)))
        {
            Wait(row, sweep);
            return;
        }

        cut->Stage = CutStage.Done;
        var best = new Candidate { Value = float.NegativeInfinity, Token = sorted[0].Token };
        for (int i = 0; i < count && sorted[i].Value >= cut->Threshold; i++)
        {
            GumbelArgMax.Consider(Rows + row, sorted[i].Value, sorted[i].Token, ref best);
        }

        Finish(row, best.Token);
    }

    private void Wait(int row, int sweep)
    {
        Results[row].ExtraSweeps = 1;
        int place = Interlocked.Increment(ref pending[sweep + 1]) - 1;
        Waiting(sweep + 1)[place] = row;
    }

    /// <summary>The row's candidates above the largest value that a tile left out, in descending order.</summary>
    private readonly int Sort(int row, Candidate* sorted, out float limit)
    {
        HeadPartial* tile = partials + (long)row * Tiles;
        limit = float.NegativeInfinity;
        for (int t = 0; t < Tiles; t++)
        {
            limit = MathF.Max(limit, tile[t].Discarded);
        }

        int count = 0;
        for (int t = 0; t < Tiles; t++)
        {
            Candidate* list = candidates + ((long)row * Tiles + t) * HeadPartial.CandidateCapacity;
            for (int i = 0; i < tile[t].CandidateCount; i++)
            {
                if (list[i].Value > limit)
                {
                    sorted[count++] = list[i];
                }
            }
        }

        Candidates.SortLong(sorted, count);
        return count;
    }

    private readonly int BestOfTiles(int row)
    {
        HeadPartial* tile = partials + (long)row * Tiles;
        Candidate best = tile[0].Best;
        for (int t = 1; t < Tiles; t++)
        {
            if (tile[t].Best.Value > best.Value)
            {
                best = tile[t].Best;
            }
        }

        return best.Token;
    }

    private readonly void MergeRow(int row)
    {
        HeadPartial* tile = partials + (long)row * Tiles;
        ExponentialSum mixture = ExponentialSum.Empty, reference = mixture, aligned = mixture, sampled = mixture;
        bool separate = Statistics && HasBoth;
        for (int t = 0; t < Tiles; t++)
        {
            mixture.Merge(tile[t].Mixture);
            sampled.Merge(tile[t].Sampled);
            if (separate)
            {
                reference.Merge(tile[t].Reference);
                aligned.Merge(tile[t].Aligned);
            }
        }

        HeadRowState* state = states + row;
        state->LogSum = mixture.Log;
        state->LogSumReference = reference.Log;
        state->LogSumAligned = aligned.Log;
        state->Cut = new RowCut { Max = sampled.Max, Sum = sampled.Sum };

        HeadResult* result = Results + row;
        *result = new HeadResult
        {
            LogProbReference = float.NaN,
            LogProbAligned = float.NaN,
            KlReference = float.NaN,
            KlAligned = float.NaN,
        };
        float lambda = Rows[row].Lambda;
        if (separate)
        {
            // log p_λ − log p_r = λ·d − ln Z + ln Z_r, and log p_λ − log p_a = (λ − 1)·d − ln Z + ln Z_a.
            double mean = mixture.Weighted / mixture.Sum;
            result->KlReference = Divergence(lambda, mean, reference.Log - mixture.Log);
            result->KlAligned = Divergence(lambda - 1.0, mean, aligned.Log - mixture.Log);
        }
        else if (Statistics && !Aligned.IsPresent)
        {
            result->KlReference = 0;
        }
        else if (Statistics && !Reference.IsPresent)
        {
            result->KlAligned = 0;
        }

        if (Top != null)
        {
            MergeTop(row);
        }
    }

    /// <summary>factor·E[d] + shift; a factor of 0 leaves out a mean that may be infinite. Rounding may not make a divergence negative.</summary>
    private static float Divergence(double factor, double mean, double shift)
    {
        double value = (factor == 0 ? 0 : factor * mean) + shift;
        return (float)(value < 0 ? 0 : value);
    }

    private readonly void MergeTop(int row)
    {
        int wanted = Math.Clamp(Rows[row].TopTokens, 0, HeadLimits.MaxTopTokens);
        Candidate* kept = stackalloc Candidate[HeadLimits.MaxTopTokens];
        var list = new Candidates(kept, wanted);
        for (int t = 0; t < Tiles && wanted > 0; t++)
        {
            long at = (long)row * Tiles + t;
            Candidate* ofTile = tops + at * HeadLimits.MaxTopTokens;
            for (int i = 0; i < partials[at].TopCount; i++)
            {
                list.Offer(ofTile[i]);
            }
        }

        Candidates.Sort(kept, list.Count);
        for (int i = 0; i < list.Count; i++)
        {
            Top[(long)row * HeadLimits.MaxTopTokens + i] = new TopToken
            {
                TokenId = kept[i].Token,
                LogProb = (float)(kept[i].Value - states[row].LogSum),
            };
        }

        Results[row].TopCount = list.Count;
    }

    /// <summary>
    /// Writes the token and its log-probabilities. Its logits are projected once more: a dot product has the same bits alone as in a tile, and
    /// sweeps need not carry three logits with every candidate.
    /// </summary>
    private readonly void Finish(int row, int token)
    {
        float* reference = stackalloc float[Lanes.Count];
        float* aligned = stackalloc float[Lanes.Count];
        float* mixed = stackalloc float[Lanes.Count];
        float** pointers = stackalloc float*[2];
        pointers[0] = referenceRows[row];
        pointers[1] = alignedRows[row];
        if (HasBoth || !Aligned.IsPresent)
        {
            Reference.Project(pointers, 1, token, 1, reference, Lanes.Count);
        }

        if (Aligned.IsPresent)
        {
            Aligned.Project(pointers + 1, 1, token, 1, aligned, Lanes.Count);
        }

        float* z = Mixture(row, token, 1, reference, aligned, mixed);
        HeadRowState* state = states + row;
        HeadResult* result = Results + row;
        result->Token = token;
        result->LogProb = (float)(z[0] - state->LogSum);
        if (Statistics && HasBoth)
        {
            result->LogProbReference = (float)(reference[0] - state->LogSumReference);
            result->LogProbAligned = (float)(aligned[0] - state->LogSumAligned);
        }
        else if (Statistics && !Aligned.IsPresent)
        {
            result->LogProbReference = result->LogProb;
        }
        else if (Statistics && !Reference.IsPresent)
        {
            result->LogProbAligned = result->LogProb;
        }
    }
}
