// Naive realignment on llama.cpp, as a user of libllama would write it: two contexts decode in lock-step, their logits are mixed on the host and
// a token is drawn per sequence. Prints one JSON line per case with the field names of `dera bench --json`; README.md says how to build and run it.

#include "host_head.h"
#include "libllama.h"
#include "options.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace {

constexpr int most_steps = 128;  // of a repeat; room for them is kept in the caches

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// One repeat: seconds of a run (a step of the whole batch, or a prompt), and how many of them the host's mixing and drawing took.
struct Sample {
    double seconds = 0;
    double host_seconds = 0;
};

// The models that take a step: the reference alone, or the reference and then the aligned model.
struct Pair {
    Context& reference;
    Context* aligned;
};

// Draws a token for each of `rows` outputs of the last step.
class Drawer {
  public:
    Drawer(const Options& options, int vocabulary) : options_(options), head_(vocabulary), uniform_(0.0, 1.0) {}

    double draw(Pair pair, const std::vector<int>& outputs, std::vector<llama_token>& tokens) {
        const auto start = Clock::now();
        for (size_t i = 0; i < outputs.size(); i++) {
            const float* r = pair.reference.logits(outputs[i]);
            const float* a = pair.aligned ? pair.aligned->logits(outputs[i]) : r;
            head_.mix(r, a, pair.aligned ? options_.lambda : 0.0f);
            tokens[i] = options_.argmax ? head_.argmax() : head_.draw(uniform_(random_));
        }
        return seconds_since(start);
    }

  private:
    const Options& options_;
    HostHead head_;
    std::mt19937 random_{1};
    std::uniform_real_distribution<double> uniform_;
};

// Any token of the vocabulary; a prime stride, so few repeat.
llama_token token_at(int index, int vocabulary) { return static_cast<llama_token>(index * 7919LL % vocabulary); }

// A case's repeat, told how many runs it has.
using Repeat = std::function<Sample(int runs)>;

// Steps of `batch` sequences that have `context` positions each. Every repeat starts over from the same cache, which is filled once, untimed.
Repeat decode_case(const Options& options, Pair pair, int batch, int vocabulary) {
    const int first = options.context;
    for (int sequence = 0; sequence < batch; sequence++) {
        for (Context* context : {&pair.reference, pair.aligned}) {
            for (int start = 0; context && start < first; start += Context::chunk) {
                const int count = std::min(Context::chunk, first - start);
                for (int i = 0; i < count; i++) {
                    context->add(token_at(sequence + start + i, vocabulary), start + i, sequence, i == count - 1);
                }
                context->decode();
            }
        }
    }

    return [=, &options, drawer = std::make_shared<Drawer>(options, vocabulary)](int runs) {
        std::vector<llama_token> tokens(batch);
        std::vector<int> outputs(batch);
        for (int i = 0; i < batch; i++) {
            tokens[i] = token_at(i, vocabulary);
            outputs[i] = i;
        }
        Sample sample;
        const auto start = Clock::now();
        for (int step = 0; step < runs; step++) {
            for (Context* context : {&pair.reference, pair.aligned}) {
                if (context) {
                    for (int i = 0; i < batch; i++) {
                        context->add(tokens[i], first + step, i, true);
                    }
                    context->decode();
                }
            }
            sample.host_seconds += drawer->draw(pair, outputs, tokens) / runs;
        }
        sample.seconds = seconds_since(start) / runs;
        pair.reference.forget_from(first);
        if (pair.aligned) {
            pair.aligned->forget_from(first);
        }
        return sample;
    };
}

// A prompt from its first token to the first one drawn, in chunks as large as the context's physical batch. One run takes long enough.
Repeat prefill_case(const Options& options, Pair pair, int length, int vocabulary) {
    return [=, &options, drawer = std::make_shared<Drawer>(options, vocabulary)](int) {
        std::vector<llama_token> tokens(1);
        Sample sample;
        const auto start = Clock::now();
        int last = 0;
        for (Context* context : {&pair.reference, pair.aligned}) {
            for (int position = 0; context && position < length; position += Context::chunk) {
                const int count = std::min(Context::chunk, length - position);
                for (int i = 0; i < count; i++) {
                    context->add(token_at(position + i, vocabulary), position + i, 0, position + i == length - 1);
                }
                context->decode();
                last = count - 1;
            }
        }
        sample.host_seconds = drawer->draw(pair, {last}, tokens);
        sample.seconds = seconds_since(start);
        pair.reference.forget_from(0);
        if (pair.aligned) {
            pair.aligned->forget_from(0);
        }
        return sample;
    };
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// Times a case as `dera bench` does: warmed up for a quarter of a second, then as many runs a repeat as last 20 ms. Prints its line. `size` is the
// batch or the prompt's length: tokens per run.
void measure(const Options& options, const char* workload, bool pair, int size, const Repeat& repeat) {
    const auto begin = Clock::now();
    double fastest = 1e9;
    do {
        fastest = std::min(fastest, repeat(1).seconds);
    } while (seconds_since(begin) < 0.25);
    const int runs = std::clamp(static_cast<int>(std::ceil(0.02 / fastest)), 1, most_steps);
    std::vector<double> seconds, host;
    for (int i = 0; i < options.repeats; i++) {
        const Sample sample = repeat(runs);
        seconds.push_back(sample.seconds);
        host.push_back(sample.host_seconds);
    }
    const auto [min, max] = std::minmax_element(seconds.begin(), seconds.end());
    const bool decode = std::string(workload) == "decode";
    std::printf(
        "{\"engine\":\"llama.cpp\",\"version\":\"%s\",\"system\":\"%s\",\"model\":\"%s\",\"workload\":\"%s\",\"batch\":%s,\"context\":%s,\"tokens\":%s,"
        "\"mode\":\"%s\",\"sampling\":\"%s\",\"threads\":%d,\"flash_attention\":\"%s\",\"repeats\":%d,\"median_seconds\":%.9g,\"min_seconds\":%.9g,"
        "\"max_seconds\":%.9g,\"tokens_per_second\":%.9g,\"host_seconds\":%.9g}\n",
        json_escape(library_version()).c_str(), json_escape(llama_print_system_info()).c_str(), json_escape(options.reference).c_str(), workload,
        decode ? std::to_string(size).c_str() : "null", decode ? std::to_string(options.context).c_str() : "null",
        decode ? "null" : std::to_string(size).c_str(), pair ? "naive" : "single", options.argmax ? "argmax" : "draw", options.threads,
        options.flash_attention.c_str(), options.repeats, median(seconds), *min, *max, size / median(seconds), median(host));
    std::fflush(stdout);
}

// Writes the reference's logits of `options.tokens`, float32, row-major [tokens, vocabulary]: to compare with `dera logits`.
void write_logits(const Options& options, const Model& reference, const Threads& threads) {
    const int count = static_cast<int>(options.tokens.size());
    Context context(reference, {1, count, options.threads, threads.pool(), options.flash_attention});
    std::FILE* file = std::fopen(options.output.c_str(), "wb");
    if (!file) {
        throw Failure("--out " + options.output + ": cannot be written");
    }
    for (int i = 0; i < count; i++) {
        context.add(options.tokens[i], i, 0, true);
        context.decode();
        std::fwrite(context.logits(0), sizeof(float), reference.vocabulary(), file);
    }
    if (std::fclose(file) != 0) {
        throw Failure("--out " + options.output + ": not written whole");
    }
}

void run_cases(const Options& options, const Model& reference, const std::optional<Model>& aligned, const Threads& threads) {
    const bool decode = options.workload == "decode";
    for (int size : decode ? options.batches : options.prompt_lengths) {
        const ContextSize shape{decode ? size : 1, decode ? options.context + most_steps : size, options.threads, threads.pool(), options.flash_attention};
        for (const std::string& mode : options.modes) {
            const bool both = mode == "naive";
            Context r(reference, shape);
            std::optional<Context> a;
            if (both) {
                a.emplace(*aligned, shape);
            }
            const Pair pair{r, both ? &*a : nullptr};
            measure(options, options.workload.c_str(), both, size,
                    decode ? decode_case(options, pair, size, reference.vocabulary()) : prefill_case(options, pair, size, reference.vocabulary()));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options options = read_options(argc, argv);
        start_library(options.backends);
        const Threads threads(options.threads);
        const Model reference(options.reference);
        if (options.workload == "logits") {
            write_logits(options, reference, threads);
            return 0;
        }
        std::optional<Model> aligned;
        if (!options.aligned.empty()) {
            aligned.emplace(options.aligned);
            if (aligned->vocabulary() != reference.vocabulary()) {
                throw Failure("--aligned " + options.aligned + ": its vocabulary differs from the reference's");
            }
        }
        run_cases(options, reference, aligned, threads);
        return 0;
    } catch (const UsageError& error) {
        std::fprintf(stderr, "lockstep: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "lockstep: %s\n", error.what());
        return 1;
    }
}
