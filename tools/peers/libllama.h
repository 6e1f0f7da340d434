// What lockstep.cpp uses of libllama, over versions whose names differ: those from early 2025 (llama_kv_cache_…) and later ones (llama_memory_…).
// Which functions and fields a version has is found out at compile time by templates.
#pragma once

#include "ggml-backend.h"
#include "llama.h"
#include "options.h"

#include <string>
#include <utility>
#include <vector>

extern "C" __attribute__((weak)) const char* llama_version(void);  // absent from early versions

inline std::string library_version() { return llama_version ? llama_version() : "unnumbered"; }

// Errors of the library go to stderr; its notes do not.
inline void start_library(const std::string& backends) {
    llama_log_set([](ggml_log_level level, const char* text, void*) {
        if (level == GGML_LOG_LEVEL_ERROR) {
            std::fputs(text, stderr);
        }
    }, nullptr);
    if (backends.empty()) {
        ggml_backend_load_all();
    } else {
        ggml_backend_load_all_from_path(backends.c_str());
    }
    llama_backend_init();
}

// Threads that outlive a step and serve every context, as llama.cpp's own programs keep them; without, each step would start its own. The functions
// are the processor backend's, which may have been loaded while running.
class Threads {
  public:
    explicit Threads(int count) {
        ggml_backend_dev_t processor = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
        if (!processor) {
            throw Failure("libllama found no processor backend; --backends DIR says where libggml-cpu*.so are");
        }
        registry_ = ggml_backend_dev_backend_reg(processor);
        using Create = ggml_threadpool_t (*)(ggml_threadpool_params*);
        const auto create = reinterpret_cast<Create>(function("ggml_threadpool_new"));
        ggml_threadpool_params parameters = ggml_threadpool_params_default(count);
        pool_ = create(&parameters);
        if (!pool_) {
            throw Failure("libllama cannot start " + std::to_string(count) + " threads");
        }
    }
    ~Threads() {
        using Free = void (*)(ggml_threadpool_t);
        reinterpret_cast<Free>(function("ggml_threadpool_free"))(pool_);
    }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    ggml_threadpool_t pool() const { return pool_; }

  private:
    void* function(const char* name) const {
        void* address = ggml_backend_reg_get_proc_address(registry_, name);
        if (!address) {
            throw Failure(std::string("libllama's processor backend has no ") + name);
        }
        return address;
    }

    ggml_backend_reg_t registry_;
    ggml_threadpool_t pool_;
};

class Model {
  public:
    // Weights are memory-mapped and stay on the processor.
    explicit Model(const std::string& path) {
        llama_model_params parameters = llama_model_default_params();
        parameters.n_gpu_layers = 0;
        handle_ = llama_model_load_from_file(path.c_str(), parameters);
        if (!handle_) {
            throw Failure(path + ": libllama cannot load it");
        }
    }
    ~Model() { llama_model_free(handle_); }
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    llama_model* handle() const { return handle_; }
    int vocabulary() const { return llama_vocab_n_tokens(llama_model_get_vocab(handle_)); }

  private:
    llama_model* handle_;
};

struct ContextSize {
    int sequences;
    int positions;  // of each sequence
    int threads;
    ggml_threadpool_t pool;       // of that many threads
    std::string flash_attention;  // auto, on or off
};

namespace detail {

template <class Parameters>
void set_flash_attention(Parameters& parameters, const std::string& wanted) {
    if constexpr (requires { parameters.flash_attn_type; }) {
        using Type = decltype(parameters.flash_attn_type);
        parameters.flash_attn_type = static_cast<Type>(wanted == "auto" ? -1 : wanted == "on" ? 1 : 0);
    } else {
        parameters.flash_attn = wanted == "on";
    }
}

template <class Handle>
void forget_from(Handle* context, int position) {
    if constexpr (requires { llama_get_memory(context); }) {
        llama_memory_seq_rm(llama_get_memory(context), -1, position, -1);
    } else {
        llama_kv_cache_seq_rm(context, -1, position, -1);
    }
}

}  // namespace detail

// A context and the batch that is being put together for it. Everything else is the library's default: a float16 cache among others.
class Context {
  public:
    static constexpr int chunk = 512;  // tokens of a prompt in one step: the library's own default

    Context(const Model& model, const ContextSize& size) : batch_(llama_batch_init(chunk, 0, 1)) {
        llama_context_params parameters = llama_context_default_params();
        const int padded = (size.positions + 255) / 256 * 256;
        parameters.n_ctx = static_cast<uint32_t>(padded * size.sequences);
        parameters.n_batch = parameters.n_ubatch = chunk;
        parameters.n_seq_max = static_cast<uint32_t>(size.sequences);
        parameters.n_threads = parameters.n_threads_batch = size.threads;
        detail::set_flash_attention(parameters, size.flash_attention);
        handle_ = llama_init_from_model(model.handle(), parameters);
        if (!handle_) {
            llama_batch_free(batch_);
            throw Failure("libllama cannot create a context of " + std::to_string(parameters.n_ctx) + " positions");
        }
        llama_attach_threadpool(handle_, size.pool, size.pool);
    }
    ~Context() {
        llama_free(handle_);
        llama_batch_free(batch_);
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    void add(llama_token token, int position, int sequence, bool output) {
        const int i = batch_.n_tokens++;
        batch_.token[i] = token;
        batch_.pos[i] = position;
        batch_.n_seq_id[i] = 1;
        batch_.seq_id[i][0] = sequence;
        batch_.logits[i] = output;
    }

    // Computes what was added, to the end.
    void decode() {
        const int status = llama_decode(handle_, batch_);
        batch_.n_tokens = 0;
        if (status != 0) {
            throw Failure("llama_decode ended with " + std::to_string(status));
        }
        llama_synchronize(handle_);
    }

    // Logits of the i-th token of the last step.
    const float* logits(int i) const { return llama_get_logits_ith(handle_, i); }

    void forget_from(int position) { detail::forget_from(handle_, position); }

  private:
    llama_context* handle_ = nullptr;
    llama_batch batch_;
};
