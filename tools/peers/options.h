// The command line of lockstep.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Options {
    std::string reference, aligned, backends, output;
    std::string workload = "decode", flash_attention = "auto";
    std::vector<std::string> modes;
    std::vector<int> batches{1, 8, 16}, prompt_lengths{512}, tokens;
    int context = 128, repeats = 5;
    int threads = static_cast<int>(std::thread::hardware_concurrency());
    float lambda = 0.5f;
    bool argmax = false;
};

inline const char* usage_text =
    "lockstep --reference FILE.gguf [--aligned FILE.gguf] [--workload decode|prefill|logits] [--mode single,naive]\n"
    "         [--batch 1,8,16] [--context 128] [--prompt-tokens 512] [--sampling draw|argmax] [--lambda 0.5]\n"
    "         [--threads N] [--repeats 5] [--flash-attention auto|on|off] [--backends DIR]\n"
    "         logits: --tokens 5,9,2 --out FILE\n";

namespace detail {

inline std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    for (size_t start = 0; start <= text.size();) {
        const size_t comma = std::min(text.find(',', start), text.size());
        parts.push_back(text.substr(start, comma - start));
        start = comma + 1;
    }
    return parts;
}

inline int integer(const std::string& name, const std::string& text, int least) {
    char* end = nullptr;
    const long value = std::strtol(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || value < least || value > 1'000'000) {
        throw UsageError(name + ": expected a number of at least " + std::to_string(least) + ", found '" + text + "'");
    }
    return static_cast<int>(value);
}

inline std::vector<int> integers(const std::string& name, const std::string& text, int least) {
    std::vector<int> values;
    for (const std::string& part : split(text)) {
        values.push_back(integer(name, part, least));
    }
    return values;
}

inline std::string one_of(const std::string& name, const std::string& text, const std::vector<std::string>& allowed) {
    std::string list;
    for (const std::string& candidate : allowed) {
        if (candidate == text) {
            return text;
        }
        list += (list.empty() ? "" : ", ") + candidate;
    }
    throw UsageError(name + ": expected one of " + list + ", found '" + text + "'");
}

}  // namespace detail

inline Options read_options(int argc, char** argv) {
    using namespace detail;
    Options options;
    for (int i = 1; i < argc; i++) {
        const std::string name = argv[i];
        if (name == "--help") {
            std::fputs(usage_text, stdout);
            std::exit(0);
        }
        if (i + 1 == argc) {
            throw UsageError(name + ": expected a value");
        }
        const std::string value = argv[++i];
        if (name == "--reference") options.reference = value;
        else if (name == "--aligned") options.aligned = value;
        else if (name == "--backends") options.backends = value;
        else if (name == "--out") options.output = value;
        else if (name == "--workload") options.workload = one_of(name, value, {"decode", "prefill", "logits"});
        else if (name == "--flash-attention") options.flash_attention = one_of(name, value, {"auto", "on", "off"});
        else if (name == "--sampling") options.argmax = one_of(name, value, {"draw", "argmax"}) == "argmax";
        else if (name == "--batch") options.batches = integers(name, value, 1);
        else if (name == "--prompt-tokens") options.prompt_lengths = integers(name, value, 1);
        else if (name == "--tokens") options.tokens = integers(name, value, 0);
        else if (name == "--context") options.context = integer(name, value, 1);
        else if (name == "--repeats") options.repeats = integer(name, value, 1);
        else if (name == "--threads") options.threads = integer(name, value, 1);
        else if (name == "--lambda") {
            char* end = nullptr;
            options.lambda = std::strtof(value.c_str(), &end);
            if (value.empty() || *end != '\0') {
                throw UsageError("--lambda: expected a number, found '" + value + "'");
            }
        } else if (name == "--mode") {
            options.modes = split(value);
            for (const std::string& mode : options.modes) {
                one_of(name, mode, {"single", "naive"});
            }
        } else {
            throw UsageError(name + ": unknown; --help lists what there is");
        }
    }
    if (options.reference.empty()) {
        throw UsageError("--reference FILE.gguf: missing");
    }
    if (options.workload == "logits" && (options.tokens.empty() || options.output.empty())) {
        throw UsageError("--workload logits: expected --tokens and --out");
    }
    if (options.modes.empty()) {
        options.modes = options.aligned.empty() ? std::vector<std::string>{"single"} : std::vector<std::string>{"single", "naive"};
    }
    for (const std::string& mode : options.modes) {
        if (mode == "naive" && options.aligned.empty()) {
            throw UsageError("--mode naive: expected --aligned FILE.gguf");
        }
    }
    return options;
}

// Text between the quotation marks of a JSON string.
inline std::string json_escape(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            escaped += '\\';
        }
        if (static_cast<unsigned char>(c) >= 0x20) {
            escaped += c;
        }
    }
    return escaped;
}
