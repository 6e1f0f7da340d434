#!/bin/sh
# Trains, sweeps and draws everything in docs/reproduction/. Run at the root of the repository after `dotnet build -c Release`:
#   docs/reproduction/reproduce.sh FOLDER [train|sweep|figures]...
# FOLDER receives models and sweeps; what is there already is kept. Without stages: all three.
set -eu
out=$1
shift
[ $# -gt 0 ] || set -- train sweep figures
TRAINER=${TRAINER:-dotnet tools/DeRa.PairTrainer/bin/Release/net10.0/DeRa.PairTrainer.dll}
DERA=${DERA:-dotnet src/DeRa.Cli/bin/Release/net10.0/dera.dll}
PROMPTS=${PROMPTS:-200}
figures=docs/reproduction/figures

# sweep EXPERIMENT NAME REFERENCE ALIGNED LAMBDAS REWARD
sweep() {
  [ -d "$out/$4" ] || return 0
  [ -f "$out/sweeps/$1/$2/summary.json" ] || $DERA sweep --device cpu --reference "$out/$3" --aligned "$out/$4" --prompts "$out/prompts.jsonl" --chat \
    --lambda "$5" --max-tokens 112 --reward "$6" --output "$out/sweeps/$1/$2"
}

for stage in "$@"; do
  case $stage in
    train)
      for experiment in length dpo tr-dpo private; do $TRAINER $experiment --out "$out"; done
      ;;
    sweep)
      [ -f "$out/prompts.jsonl" ] || $TRAINER prompts --count "$PROMPTS" --out "$out/prompts.jsonl"
      sweep length dera reference length/aligned 0:2:0.2 length:40-50
      for lambda in 0.2 0.4 0.6 1 2; do sweep length retrained-$lambda reference length/retrained-$lambda 1 length:40-50; done
      sweep dpo dera reference dpo/aligned 0,0.2,0.4,0.5,0.6,0.8,1,1.2,1.4,1.5,1.6,1.8,2 lexicon:weights/lexicon.txt
      for update in soft hard; do
        sweep tr-dpo $update reference tr-dpo/$update 0:2:0.5 lexicon:weights/lexicon.txt
        sweep tr-dpo $update-own tr-dpo/$update-reference tr-dpo/$update 0:2:0.5 lexicon:weights/lexicon.txt
      done
      for budget in none 8 2; do sweep private epsilon-$budget reference private/epsilon-$budget 0:2:0.5 lexicon:weights/lexicon.txt; done
      for lambda in 0.2 0.4 0.6 0.8 1.2 1.4 1.6 1.8 2; do
        sweep length interpolated-$lambda reference length/interpolated-$lambda 1 length:40-50
        sweep dpo interpolated-$lambda reference dpo/interpolated-$lambda 1 lexicon:weights/lexicon.txt
      done
      [ -f "$out/dpo/scores.jsonl" ] || $DERA score --device cpu --reference "$out/reference" --aligned "$out/dpo/aligned" \
        --input "$out/dpo/held-out.jsonl" --output "$out/dpo/scores.jsonl" --lambda 0:2:0.2
      ;;
    figures)
      s=$out/sweeps
      mkdir -p $figures
      for experiment in length dpo tr-dpo private; do
        echo "model,$(head -n 1 "$(ls "$out/$experiment"/[a-z]*.csv | grep -v budgets | head -n 1)")" > $figures/$experiment-training.csv
        for curve in "$out/$experiment"/[a-z]*.csv; do
          name=$(basename "$curve" .csv)
          [ "$name" = budgets ] || tail -n +2 "$curve" | sed "s/^/$name,/" >> $figures/$experiment-training.csv
        done
      done
      cp "$out/private/budgets.csv" $figures/budgets.csv
      $TRAINER frontier --title "Length experiment" --reward length:40-50 --label "reward (0: 40 to 50 tokens, −1: not)" --out $figures/length \
        --series "DeRa=$s/length/dera" --series "retrained=$s/length/retrained-*" --series "interpolated weights=$s/length/interpolated-*"
      $TRAINER frontier --title "Preferences (DPO)" --reward lexicon:weights/lexicon.txt --label "warm words a response" --out $figures/dpo \
        --series "DeRa=$s/dpo/dera" --series "interpolated weights=$s/dpo/interpolated-*"
      $TRAINER accuracy --title "Pairwise accuracy on held-out pairs" --scores "DPO=$out/dpo/scores.jsonl" --out $figures/accuracy
      $TRAINER frontier --title "TR-DPO: choice of reference" --reward lexicon:weights/lexicon.txt --label "warm words a response" --out $figures/tr-dpo \
        --series "DPO=$s/dpo/dera" --series "soft=$s/tr-dpo/soft" --series "hard=$s/tr-dpo/hard" \
        --series "soft from its own=$s/tr-dpo/soft-own" --series "hard from its own=$s/tr-dpo/hard-own"
      $TRAINER frontier --title "Private preference optimisation" --reward lexicon:weights/lexicon.txt --label "warm words a response" --out $figures/private \
        --series "no noise=$s/private/epsilon-none" --series "ε 8=$s/private/epsilon-8" --series "ε 2=$s/private/epsilon-2"
      ;;
  esac
done
